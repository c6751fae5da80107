const { writeFileSync } = require("node:fs");
const { reporters, Runner } = require("mocha");

/** Mocha's spec reporter, which also writes its counts as JSON to the file that HEARTH_TEST_COUNTS names. */
class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.HEARTH_TEST_COUNTS;
    if (file === undefined) return;
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, pending }));
    });
  }
}

module.exports = CountingReporter;
