import { expect } from "chai";

import { encryptedIn } from "../../../../operations/preview/trees.ts";
import { hearth } from "../../../support/hearth.ts";

describe("npx hearth preview", () => {
  it("tells its usage", async () => {
    const { exitCode, stdout } = await hearth("/nowhere", ["preview", "--help"]);
    expect(exitCode).to.equal(0);
    expect(stdout)
      .to.match(/^Usage: npx hearth preview STACK\n/)
      .and.to.contain("--base REF");
  });

  const usage = "Usage: npx hearth preview STACK";
  for (const [args, advice] of [
    [[], usage],
    [["dev", "prod"], usage],
    [["dev", "--colour"], "npx hearth preview --help lists what it takes"],
  ] as const) {
    it(`refuses ${args.length === 0 ? "no stack" : args.join(" ")}, and says what it takes`, async () => {
      const { exitCode, stdout, stderr } = await hearth("/nowhere", ["preview", ...args]);
      expect([exitCode, stdout]).to.deep.equal([1, ""]);
      expect(stderr).to.contain(advice);
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
