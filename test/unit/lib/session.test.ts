import { PassThrough } from "node:stream";

import { expect } from "chai";

import { asking } from "../../../lib/terminal/session.ts";
import { failureOf } from "../../support/failure.ts";

describe("asking at a terminal", () => {
  const session = () => {
    const input = new PassThrough();
    const output = new PassThrough();
    output.resume();
    return { input, ask: asking(input, output) };
  };

  it("takes one line for each question", async () => {
    const { input, ask } = session();
    for (const line of ["den", "10.20.0.0/24", ""]) {
      const answer = ask("What? ");
      input.write(`${line}\n`);
      expect(await answer).to.equal(line);
    }
  });

  it("loses no line of several that are pasted together, and goes on with the last one's beginning", async () => {
    const { input, ask } = session();
    const first = ask("Site? ");
    input.write("den\n10.20.0.0/24\nexample");
    expect(await first).to.equal("den");
    expect(await ask("Subnet? ")).to.equal("10.20.0.0/24");
    const third = ask("Domain? ");
    input.write(".com\n");
    expect(await third).to.equal("example.com");
  });

  it("loses nothing that arrives while nothing is asked", async () => {
    const { input, ask } = session();
    const first = ask("Site? ");
    input.write("den\n");
    expect(await first).to.equal("den");
    input.write("10.20.0.0/24\nexample.com\n");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([await ask("Subnet? "), await ask("Domain? ")]).to.deep.equal(["10.20.0.0/24", "example.com"]);
  });

  it("says that nobody answers where the input ends", async () => {
    const { input, ask } = session();
    const answer = ask("Site? ");
    input.end();
    expect((await failureOf(answer)).message).to.contain("Nobody answered");
  });
});
