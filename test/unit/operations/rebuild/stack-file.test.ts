import { expect } from "chai";
import { parse } from "yaml";

import { mended } from "../../../../operations/rebuild/stack-file.ts";

const copy = `encryptionsalt: v1:salt
config:
  hearth:cluster: { name: old }
  hearth:cloudflareToken:
    secure: v1:cipher
`;

describe("mended", () => {
  it("brings back the salt and the secrets, and leaves what a person wrote", () => {
    const text = mended("# Ours.\nconfig:\n  hearth:cluster: { name: new }\n", copy) ?? "";
    expect(text).to.contain("# Ours.");
    expect(parse(text)).to.deep.equal({
      config: { "hearth:cluster": { name: "new" }, "hearth:cloudflareToken": { secure: "v1:cipher" } },
      encryptionsalt: "v1:salt",
    });
  });

  it("leaves a file alone that has a salt", () => {
    expect(mended("encryptionsalt: v1:other\nconfig: {}\n", copy)).to.equal(undefined);
  });

  it("has nothing to bring back from a copy without a salt", () => {
    expect(mended("config: {}\n", "config: {}\n")).to.equal(undefined);
  });
});
