import { createRequire } from "node:module";

import { expect } from "chai";

import "../../../toolchain/untraced.mjs";

const debuggable = createRequire(import.meta.url)("@pulumi/pulumi/runtime/debuggable") as {
  debuggablePromise: <Settled>(promise: Promise<Settled>, context: string) => Promise<Settled>;
  promiseDebugString: (promise: Promise<unknown>) => string;
};

describe("promises of Pulumi's SDK", () => {
  it("keep what they are for, and no trace", async () => {
    const { stackTraceLimit } = Error;
    const promise = Promise.resolve("done");
    expect(await debuggable.debuggablePromise(promise, "registers web")).to.equal("done");
    expect(debuggable.promiseDebugString(promise)).to.match(/^CONTEXT\(\d+\): registers web\nSTACK_TRACE:\nError$/);
    expect(Error.stackTraceLimit).to.equal(stackTraceLimit);
  });
});
