const { join } = require("node:path");

// The tests' processes load the same hundreds of files.
process.env.NODE_COMPILE_CACHE ??= join(__dirname, "node_modules", ".cache", "node");

/** Node.js loads TypeScript itself in half of the time that tsx takes, from the release on that compiles all of it. */
const isKnown = process.allowedNodeEnvironmentFlags.has("--experimental-transform-types");
const typescript = isKnown
  ? ["experimental-transform-types", "disable-warning=ExperimentalWarning"]
  : ["import=tsx", "no-experimental-require-module"];

module.exports = {
  "node-option": [...typescript, "unhandled-rejections=strict"],
  reporter: "./test/support/reporter.cjs",
  timeout: 30_000,
  "forbid-only": true,
};
