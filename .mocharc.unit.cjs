const { globSync } = require("node:fs");
const { join } = require("node:path");

const { inMemory } = require("./test/support/temporary.cjs");

// The same trees are rendered each time, so what hearth-tree answers is kept by the content of all that it reads.
process.env.HEARTH_ANSWERS ??= join(__dirname, "node_modules", ".cache", "answers");

// On a disk, files take a sixth of the tests' processor time. Git need not tidy up repositories that live for a second.
Object.assign(process.env, inMemory());
for (const name of ["maintenance.auto", "receive.autogc"]) {
  const count = Number(process.env.GIT_CONFIG_COUNT ?? 0);
  process.env[`GIT_CONFIG_KEY_${count}`] = name;
  process.env[`GIT_CONFIG_VALUE_${count}`] = "false";
  process.env.GIT_CONFIG_COUNT = `${count + 1}`;
}

/** What takes seconds begins first, so that no job ends with it. */
const longest = [
  "gitops/check",
  "unit/operations/secret-init",
  "gitops/tree",
  "unit/operations/machines-rollout",
  "gitops/charts",
  "unit/lib/engine/engine-folder",
  "unit/operations/preview/data",
  "gitops/upgrading-hearth",
  "unit/operations/app/app",
  "unit/operations/promote/promote",
  "unit/infra/config/schema",
  "unit/infra/examples",
  "unit/toolchain/bundle",
  "unit/operations/destinations/lease",
  "unit/lib/rollout/silences",
  "unit/toolchain-download",
  "unit/toolchain-lock",
  "unit/components/api-ready",
];
const first = longest.map((name) => `test/${name}.test.ts`);
const others = globSync("test/{unit,policy,gitops}/**/*.test.ts").filter((file) => !first.includes(file));

/** The fast tests. Some wait, so there are more jobs than processors. */
module.exports = {
  ...require("./.mocharc.cjs"),
  parallel: true,
  jobs: 4,
  spec: [...first, ...others.sort()],
};
