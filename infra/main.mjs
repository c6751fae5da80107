// What Pulumi runs: the program, and as its default export the stack's outputs.
import { load } from "../toolchain/bundle.mjs";

// Pulumi keeps a stack trace of each of its promises. Finding the lines of the sources in them takes a fifth of the time of a preview.
const withSources = Error.prepareStackTrace;
if (withSources !== undefined) {
  Error.prepareStackTrace = (error, frames) =>
    frames[0]?.getFunctionName() === "debuggablePromise" ? String(error) : withSources(error, frames);
}

export default { ...(await load("infra/index.ts")) };
