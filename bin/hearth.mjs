#!/usr/bin/env node
// The command line: `npx hearth COMMAND STACK`. npx finds this file through package.json, before anything is installed.
process.argv.splice(2, 0, "operations/main.ts");
import("../scripts/setup.mjs");
