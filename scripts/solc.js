#!/usr/bin/env node
// Stands in for the solc binary: answers --version and --standard-json with
// the compiler pinned in package.json, so that forge never downloads one.
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
} else {
  process.stderr.write("scripts/solc.js answers only --version and --standard-json\n");
  process.exitCode = 2;
}
