#!/usr/bin/env node
// Stands in for the solc binary: answers --version and --standard-json with
// the compiler pinned in package.json, so that forge never downloads one. With
// --lines it answers one input after the other, a line each.
"use strict";

const solc = require("solc");

const args = process.argv.slice(2);

if (args.includes("--version")) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (args.includes("--standard-json")) {
  const chunks = [];
  process.stdin.on("data", (chunk) => chunks.push(chunk));
  process.stdin.on("end", () => {
    process.stdout.write(solc.compile(Buffer.concat(chunks).toString("utf8")));
  });
} else if (args.includes("--lines")) {
  const lines = require("readline").createInterface({ input: process.stdin });
  lines.on("line", (line) => process.stdout.write(solc.compile(line).replaceAll("\n", " ") + "\n"));
} else {
  process.stderr.write("scripts/solc.js answers only --version, --standard-json and --lines\n");
  process.exitCode = 2;
}
