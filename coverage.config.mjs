import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Lines of the program and of its components that the fast tests have to run, in percent. */
const required = 95;

const folders = ["infra", "components", "operations/config"];
const isCounted = ({ url }) =>
  folders.some((each) => url.startsWith(pathToFileURL(join(import.meta.dirname, each)).href));

export default {
  // Lines of V8's own ranges. Reports of statements place those of several processes wrongly.
  reports: ["console-details"],
  outputDir: "node_modules/.cache/coverage",
  entryFilter: isCounted,
  all: { dir: folders, filter: { "**/*.ts": true } },
  onEnd: ({ summary: { lines } }) => {
    if (lines.pct >= required) return;
    console.error(`${lines.pct} % of lines are run, and ${required} % are required`);
    process.exitCode = 1;
  },
};
