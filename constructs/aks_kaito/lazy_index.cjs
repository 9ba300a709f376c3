// Loads the submodules of the CDK's prebuilt providers when they are first used.
//
// A provider package re-exports one submodule for each of its resources, a thousand and a half of them for azurerm,
// and loading them all is most of a synthesis. Node.js runs this file before anything else (`--require`); it hands the
// index of such a package to Node.js with each re-export turned into a getter. Every other file goes through untouched,
// and so does an index that holds anything but plain re-exports: then everything is loaded, as without this file.
//
// See: https://nodejs.org/api/cli.html#-r---require-module
"use strict";

const { readFileSync } = require("node:fs");
const Module = require("node:module");

const INDEX = /[\\/]node_modules[\\/]@cdktn[\\/]provider-[^\\/]+[\\/]lib[\\/]index\.js$/;
const REEXPORT = /^exports\.([A-Za-z_$][\w$]*) = __importStar\(require\("(\.\/[^"\\]+)"\)\);$/gm;
// What TypeScript writes around re-exports: names declared before they are set, and the mark of a module.
const DECLARATIONS = /^(?:exports\.[\w$]+ = )+void 0;$|^Object\.defineProperty\(exports, "__esModule", \{ value: true \}\);$/gm;
const COMMENTS = /^\/\/.*$|\/\*[^]*?\*\//gm;

// What takes the place of a re-export; it is declared at the end, so that every line keeps its number.
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

/** The source with getters for its re-exports; undefined when it is not made of re-exports alone. */
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
