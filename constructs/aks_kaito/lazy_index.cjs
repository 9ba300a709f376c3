// Load the submodules of the CDK's prebuilt providers on first use.
//
// A provider package re-exports one submodule per resource, some 1,500 for azurerm; loading all of them takes most of the
// time of a synthesis. Node.js preloads this file (`--require`). It replaces each re-export in the index of such a package
// by a getter. Other files are loaded unchanged, and so is an index that contains anything but plain re-exports.
//
// See: https://nodejs.org/api/cli.html#-r---require-module
"use strict";

const { readFileSync } = require("node:fs");
const Module = require("node:module");

const INDEX = /[\\/]node_modules[\\/]@cdktn[\\/]provider-[^\\/]+[\\/]lib[\\/]index\.js$/;
const REEXPORT = /^exports\.([A-Za-z_$][\w$]*) = __importStar\(require\("(\.\/[^"\\]+)"\)\);$/gm;
// Other code that TypeScript emits: declarations of the exported names, and the ES module marker.
const DECLARATIONS = /^(?:exports\.[\w$]+ = )+void 0;$|^Object\.defineProperty\(exports, "__esModule", \{ value: true \}\);$/gm;
const COMMENTS = /^\/\/.*$|\/\*[^]*?\*\//gm;

// Replacement of a re-export. It is appended to the source, so that line numbers stay the same.
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

/** Return the source with getters for its re-exports, or undefined if it contains anything else. */
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
