// Load the submodules of the CDK's prebuilt providers on first use.
//
// A provider package re-exports one submodule per resource, about 1500 for azurerm, and loading all of them takes most
// of a synthesis. Node.js runs this file first (`--require`). The file replaces each re-export in the index of such a
// package by a getter. It changes no other file, and no index that contains anything but plain re-exports: Node.js then
// loads everything, as without this file.
//
// See: https://nodejs.org/api/cli.html#-r---require-module
"use strict";

const { readFileSync } = require("node:fs");
const Module = require("node:module");

const INDEX = /[\\/]node_modules[\\/]@cdktn[\\/]provider-[^\\/]+[\\/]lib[\\/]index\.js$/;
const REEXPORT = /^exports\.([A-Za-z_$][\w$]*) = __importStar\(require\("(\.\/[^"\\]+)"\)\);$/gm;
// TypeScript's code around re-exports: declarations of the names, and the mark of a module.
const DECLARATIONS = /^(?:exports\.[\w$]+ = )+void 0;$|^Object\.defineProperty\(exports, "__esModule", \{ value: true \}\);$/gm;
const COMMENTS = /^\/\/.*$|\/\*[^]*?\*\//gm;

// The replacement of a re-export; it is appended at the end, so that every line keeps its number.
const GETTER = `
function __exportLazily(name, path) {
  const get = () => {
    const value = __importStar(require(path));
    Object.defineProperty(exports, name, { value, writable: true });
    return value;
  };
  Object.defineProperty(exports, name, { configurable: true, enumerable: true, get });
}
`;

/** Return the source with getters for its re-exports; undefined if it contains anything else. */
function lazy(source) {
  const rest = source.replace(REEXPORT, "").replace(DECLARATIONS, "").replace(COMMENTS, "");
  if (rest.length === source.length || /\b(?:exports|require|module)\b/.test(rest)) {
    return undefined;
  }
  return source.replace(REEXPORT, '__exportLazily("$1", "$2");') + GETTER;
}

const load = Module._extensions[".js"];

Module._extensions[".js"] = function loadLazily(module, filename) {
  const source = INDEX.test(filename) ? lazy(readFileSync(filename, "utf8")) : undefined;
  if (source === undefined) {
    return load.call(this, module, filename);
  }
  module._compile(source, filename);
};
