/** Tests that take longer than CI has, one after the other: before an issue is resolved, and every night. */
module.exports = {
  ...require("./.mocharc.lab.cjs"),
  timeout: 1_800_000,
  parallel: false,
  jobs: undefined,
  spec: ["test/long/**/*.test.ts"],
};
