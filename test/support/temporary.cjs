const { execFileSync } = require("node:child_process");
const { mkdirSync, lstatSync, statfsSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { userInfo } = require("node:os");

/** What the tests may have there at once, in bytes. */
const space = 2 ** 30;

/**
 * The variable that puts temporary files into memory, where Linux has a folder for that with a gigabyte free, whose programs it runs; else
 * nothing, so they are where the system has them. The folder stays, for tsx keeps there what it compiled.
 */
const inMemory = (memory = "/dev/shm", run = execFileSync) => {
  const { uid } = userInfo();
  const folder = join(memory, `hearth-tests-${uid}`);
  try {
    const { bavail, bsize } = statfsSync(memory);
    if (bavail * bsize < space) return {};
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    if (!found.isDirectory() || found.uid !== uid) return {};
    // Containers often have it without the right to run what is there, and some tests do that.
    const probe = join(folder, `probe-${process.pid}`);
    writeFileSync(probe, '#!/bin/sh\nrm -- "$0"\n', { mode: 0o700 });
    run(probe);
    return { TMPDIR: folder };
  } catch {
    return {};
  }
};

module.exports = { inMemory };
