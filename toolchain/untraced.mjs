// Pulumi's SDK keeps the stack trace of each promise that it makes, for a message about promises that never settle. A trace is text with
// the lines of sources, which takes a fifth of the time of a preview. That message has no traces where this is loaded.
import { createRequire } from "node:module";

const debuggable = createRequire(import.meta.url)("@pulumi/pulumi/runtime/debuggable");
const { debuggablePromise } = debuggable;

debuggable.debuggablePromise = (promise, context) => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return debuggablePromise(promise, context);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
};
