import { expect } from "chai";

import { cli, usage } from "../../../../operations/preview/cli.ts";
import { encryptedIn } from "../../../../operations/preview/trees.ts";
import { Problem } from "../../../../toolchain/problem.ts";

const run = async (...args: string[]): Promise<{ code: number; printed: string }> => {
  const printed: string[] = [];
  const code = await cli(args, { root: "/nowhere", print: (text) => printed.push(text), say: () => undefined });
  return { code, printed: printed.join("\n") };
};

describe("npm run preview", () => {
  it("tells its usage", async () => {
    expect(await run("--help")).to.deep.equal({ code: 0, printed: usage });
  });

  for (const args of [[], ["dev", "prod"], ["dev", "--colour"]]) {
    it(`refuses ${args.length === 0 ? "no stack" : args.join(" ")}, and says what it takes`, async () => {
      const error = await run(...args).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(Problem);
      expect((error as Problem).message).to.contain("Usage: npm run preview -- STACK");
    });
  }
});

describe("the encrypted values of a SOPS file", () => {
  const file = `kind: Secret
metadata: { name: one }
stringData:
  open: text
  closed: ENC[AES256_GCM,data:a]
sops:
  mac: ENC[AES256_GCM,data:mac]
---
kind: Secret
metadata: { name: two }
stringData: { closed: "ENC[AES256_GCM,data:b]" }
`;

  it("are those of the object, by their paths, and nothing of SOPS's own", () => {
    expect(encryptedIn(file, { kind: "Secret", name: "one" })).to.deep.equal({
      "stringData.closed": "ENC[AES256_GCM,data:a]",
    });
    expect(encryptedIn(file, { kind: "ConfigMap", name: "one" })).to.deep.equal({});
  });
});
