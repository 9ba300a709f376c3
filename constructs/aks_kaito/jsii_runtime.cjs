// Run jsii's program in the process that Python starts.
//
// jsii's own entry point starts a second Node.js process, and passes every message through both: requests and responses
// over descriptor 3, and what the program prints wrapped as JSON. Python starts this file instead (`JSII_RUNTIME`). It maps
// descriptor 3 to standard input and output, wraps what is printed, and loads the same program, so that the other end of
// the pipes sees no difference. node.py names the version of jsii whose program this file was read against.
//
// See: https://github.com/aws/jsii/blob/main/packages/%40jsii/runtime/bin/jsii-runtime.ts
"use strict";

const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { Writable } = require("node:stream");

const CHANNEL = 3;
const [STDIN, STDOUT, STDERR] = [0, 1, 2];
const PACKAGE = /^(.*[\\/]jsii-kernel-[^\\/]+[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)([\\/].*)$/;

// Node.js itself holds the real descriptor 3, so no file that JavaScript opens has this number.
const { readSync, writeSync } = fs;
fs.readSync = (fd, ...rest) => readSync(fd === CHANNEL ? STDIN : fd, ...rest);
fs.writeSync = (fd, ...rest) => writeSync(fd === CHANNEL ? STDOUT : fd, ...rest);

/** Return a stream that writes each chunk to standard error as JSON, which Python's end decodes. */
function wrapped(name) {
  return new Writable({
    decodeStrings: true,
    write(chunk, _encoding, done) {
      writeSync(STDERR, `${JSON.stringify({ [name]: chunk.toString("base64") })}\n`);
      done();
    },
  });
}

// Standard output carries the messages; Node.js would also make the pipes non-blocking if it opened these streams.
for (const name of ["stdout", "stderr"]) {
  Object.defineProperty(process, name, { configurable: true, enumerable: true, value: wrapped(name) });
}

// jsii links a package's folder as a whole if symbolic links stay unresolved, and otherwise each of its files. It looks for
// the option here, where its own program gets it.
if (process.env.NODE_OPTIONS?.includes("--preserve-symlinks")) {
  process.execArgv.push("--preserve-symlinks");
}

// Node.js keeps compiled code under the path of its source. jsii's cache of packages has the same paths at each run, and
// the links to it have not.
const folders = new Map();

function lasting(filename) {
  const [, folder, rest] = PACKAGE.exec(filename) ?? [];
  if (folder === undefined) {
    return filename;
  }
  if (!folders.has(folder)) {
    folders.set(folder, fs.realpathSync(folder));
  }
  return folders.get(folder) + rest;
}

const compile = Module.prototype._compile;

Module.prototype._compile = function compileUnderLastingPath(content, filename, ...rest) {
  return compile.call(this, content, lasting(filename), ...rest);
};

require(path.resolve(process.env.JSII_PROGRAM));
