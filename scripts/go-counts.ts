import { writeFile } from "node:fs/promises";

/** The number of Go tests that passed and failed. */
export interface Counts {
  passed: number;
  failed: number;
}

interface TestEvent {
  Action: string;
  Package?: string;
  Test?: string;
  Output?: string;
}

/**
 * Counts the tests in the output of `go test -json`, and returns the output of those that failed. A package that does not build or
 * exits early counts as a failed test.
 */
export const testCounts = (events: string): Counts & { output: string } => {
  const counts = { passed: 0, failed: 0, output: "" };
  const printed = new Map<string, string>();
  const failedTests = new Set<string>();
  for (const line of events.split("\n")) {
    if (!line.startsWith("{")) continue;
    const { Action: action, Package: name = "", Test: test, Output: output = "" } = JSON.parse(line) as TestEvent;
    const key = `${name}\n${test ?? ""}`;
    if (action === "output" || action === "build-output") printed.set(key, (printed.get(key) ?? "") + output);
    if (action === "pass" && test !== undefined) counts.passed += 1;
    if (action !== "fail") continue;
    // A package fails with its tests. It counts on its own only if none of them failed.
    if (test === undefined && failedTests.has(name)) continue;
    failedTests.add(name);
    counts.failed += 1;
    counts.output += printed.get(key) ?? `${name} failed\n`;
  }
  return counts;
};

/** Writes counts as JSON to the file that `.ci/run` reads. Does nothing without a file. */
export const addCounts = async (file: string | undefined, { passed, failed }: Counts): Promise<void> => {
  if (file !== undefined) await writeFile(file, JSON.stringify({ passed, failed }));
};
