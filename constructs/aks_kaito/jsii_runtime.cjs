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

const PROGRAM = path.resolve(process.env.JSII_PROGRAM);
const CHANNEL = 3;
const [STDIN, STDOUT, STDERR] = [0, 1, 2];
const PACKAGE = /^(.*[\\/]jsii-kernel-[^\\/]+[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)([\\/].*)$/;

// Node.js itself holds the real descriptor 3, so no file that JavaScript opens has this number.
const { openSync, readFileSync, readSync, writeSync } = fs;
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

// jsii hashes each package's archive at each run, azurerm's 31 MB among them, to find its files in the cache of packages.
// The hash of an archive that has not changed is kept beside the compiled code.
const DIGESTS = process.env.NODE_COMPILE_CACHE && path.join(process.env.NODE_COMPILE_CACHE, "digests.json");
const DIGEST = /(function digestFile\(e,\.\.\.p\)\{return )(readFileChunks\(e,\(\)=>\{\},\.\.\.p\))\}/;

function knownDigests() {
  try {
    return JSON.parse(readFileSync(DIGESTS, "utf8"));
  } catch {
    return {};
  }
}

function keep(digests) {
  const written = `${DIGESTS}.${process.pid}`;
  try {
    fs.writeFileSync(written, JSON.stringify(digests));
    fs.renameSync(written, DIGESTS);
  } catch {
    // A folder that cannot be written: the next run computes the hash again.
  }
}

/** Return the hash of an archive and the comments, computed only if the file is another than in an earlier run. */
function digest(archive, comments, compute) {
  const { dev, ino, size, mtimeNs, ctimeNs } = fs.statSync(archive, { bigint: true });
  const key = [archive, dev, ino, size, mtimeNs, ctimeNs, ...comments].join("\n");
  let digests = knownDigests();
  if (!/^[0-9a-f]{64}$/.test(digests[key])) {
    const others = Object.entries(digests).filter(([known]) => !known.startsWith(`${archive}\n`));
    digests = { ...Object.fromEntries(others), [key]: compute().toString("hex") };
    keep(digests);
  }
  return Buffer.from(digests[key], "hex");
}

const compile = Module.prototype._compile;

Module.prototype._compile = function compileUnderLastingPath(content, filename, ...rest) {
  if (filename === PROGRAM && DIGESTS) {
    globalThis[Symbol.for("aks-kaito.digest")] = digest;
    content = content.replace(DIGEST, '$1globalThis[Symbol.for("aks-kaito.digest")](e,p,()=>$2)}');
  }
  return compile.call(this, content, lasting(filename), ...rest);
};

// jsii reads the definitions of all types of a package, 21 MB for azurerm, and uses those of a few.
const DEFINITIONS = /[\\/]\.jsii\.runtime-defs\.v1\.jsonl$/;

/** Return a stand-in for a file's contents that reads only the part that is converted to text. */
function parts(filename) {
  const fd = openSync(filename, "r");
  return {
    toString(encoding, start, end) {
      const part = Buffer.allocUnsafe(end - start);
      return part.toString(encoding, 0, readSync(fd, part, 0, part.length, start));
    },
  };
}

fs.readFileSync = (filename, ...rest) =>
  rest.length === 0 && DEFINITIONS.test(filename) ? parts(filename) : readFileSync(filename, ...rest);

require(PROGRAM);
