const { globSync } = require("node:fs");

/** What takes minutes begins first, so that both jobs end at about the same time. */
const longest = [
  "rehearse",
  "environments",
  "escrow",
  "control-planes",
  "preview",
  "end-to-end",
  "guide",
  "policy",
  "tree",
  "talos-machine",
  "plugins",
];
const first = longest.map((name) => `test/lab/${name}.test.ts`);
const others = globSync("test/lab/**/*.test.ts").filter((file) => !first.includes(file));

module.exports = {
  ...require("./.mocharc.cjs"),
  timeout: 900_000,
  slow: 60_000,
  parallel: true,
  jobs: 2,
  spec: [...first, ...others.sort()],
};
