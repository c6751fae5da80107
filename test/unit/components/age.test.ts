import { armor, Encrypter, generateIdentity, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import fc from "fast-check";

import { ageIdentity, ageRecipient, verifyOpens } from "../../../components/secrets/age.ts";

const seed = Uint8Array.from({ length: 32 }, (_, index) => index);

const encryptedTo = async (identity: string): Promise<string> => {
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity));
  return armor.encode(await encrypter.encrypt("data key"));
};

describe("an age identity", () => {
  it("is made by its seed alone, and age accepts it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 32, maxLength: 32 }), async (bytes) => {
        const identity = ageIdentity(bytes);
        expect(identity).to.match(/^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/);
        expect(await ageRecipient(identity)).to.match(/^age1[02-9ac-hj-np-z]{58}$/);
      }),
      { numRuns: 25 },
    );
  });

  it("is refused for a seed of another length", () => {
    expect(() => ageIdentity(new Uint8Array(31))).to.throw("An age seed has 32 bytes, not 31");
  });

  it("is accepted when it opens every file, beside other recipients", async () => {
    const identity = ageIdentity(seed);
    const other = await encryptedTo(await generateIdentity());
    await verifyOpens(identity, [{ path: "a.sops.yaml", dataKeys: [other, await encryptedTo(identity)] }]);
  });

  it("is refused with the names of the files that it does not open", async () => {
    const foreign = await encryptedTo(await generateIdentity());
    const files = [
      { path: "mine.sops.yaml", dataKeys: [await encryptedTo(ageIdentity(seed))] },
      { path: "theirs.sops.yaml", dataKeys: [foreign] },
      { path: "nobodys.sops.yaml", dataKeys: [] },
    ];
    const failure = await verifyOpens(ageIdentity(seed), files).catch((error: unknown) => String(error));
    expect(failure)
      .to.contain("does not open theirs.sops.yaml, nobodys.sops.yaml;")
      .and.to.contain("npx hearth secret rotate");
    expect(failure).not.to.contain("AGE-SECRET-KEY");
  });
});
