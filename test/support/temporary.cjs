const { mkdirSync, lstatSync, statfsSync } = require("node:fs");
const { join } = require("node:path");
const { userInfo } = require("node:os");

/** What the tests may have there at once, in bytes. */
const space = 2 ** 30;

/**
 * The variable that puts temporary files into memory, where Linux has a folder for that with a gigabyte free; else nothing, so they are where
 * the system has them. The folder stays, for tsx keeps there what it compiled.
 */
const inMemory = (memory = "/dev/shm") => {
  const { uid } = userInfo();
  const folder = join(memory, `hearth-tests-${uid}`);
  try {
    const { bavail, bsize } = statfsSync(memory);
    if (bavail * bsize < space) return {};
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    return found.isDirectory() && found.uid === uid ? { TMPDIR: folder } : {};
  } catch {
    return {};
  }
};

module.exports = { inMemory };
