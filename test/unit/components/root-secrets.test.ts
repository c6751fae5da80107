import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { armor, Encrypter, identityToRecipient } from "age-encryption";
import { expect } from "chai";

import { ageIdentity } from "../../../components/secrets/age.ts";
import { RootSecrets, tried } from "../../../components/secrets/root-secrets.ts";
import { run } from "../../support/graph.ts";
import { expectSound } from "../../support/sound.ts";

const seed = Buffer.alloc(32, 7).toString("base64");

const encryptedTo = async (bytes: number): Promise<string> => {
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(ageIdentity(new Uint8Array(32).fill(bytes))));
  return armor.encode(await encrypter.encrypt("data key"));
};

const made = async (keys: string[], preview: boolean) => {
  let secrets: RootSecrets | undefined;
  const graph = await run(
    () => {
      const encryptedFiles = [{ path: "gitops/clusters/dev/secrets/welcome/welcome.sops.yaml", dataKeys: keys }];
      secrets = new RootSecrets(
        "root-secrets",
        { cluster: "den-dev", ageSeed: pulumi.secret(seed), encryptedFiles },
        { provider: new random.Provider("random") },
      );
    },
    { preview, resources: { "random:index/randomPassword:RandomPassword": () => ({ result: "p".repeat(64) }) } },
  );
  return { graph, secrets: secrets as unknown as RootSecrets };
};

for (const preview of [true, false]) {
  describe(`the root secrets in ${preview ? "a preview" : "an update"}`, () => {
    it("are sound, protected and secret", async () => {
      const { graph, secrets } = await made([await encryptedTo(7)], preview);
      expectSound(graph);
      const seeds = graph.ofType("random:index/randomPassword:RandomPassword");
      expect(seeds.map(({ name }) => name)).to.have.members([
        ...["deploy-key-seed", "webhook-token", "disk-recovery-seed", "signing-seed"],
      ]);
      expect(seeds.every(({ protect }) => protect)).to.equal(true);
      for (const output of [
        secrets.ageIdentity,
        secrets.deployKey,
        secrets.webhookToken,
        secrets.diskRecoveryKey,
        secrets.signingKeys,
      ]) {
        expect(await pulumi.isSecret<unknown>(output)).to.equal(true);
      }
      for (const output of [secrets.ageRecipient, secrets.deployKeyPublic, secrets.signers]) {
        expect(await pulumi.isSecret<unknown>(output)).to.equal(false);
      }
    });
  });
}

describe("the age identity that is created", () => {
  const files = async (...keys: number[]) => [
    {
      path: "gitops/clusters/dev/secrets/welcome/welcome.sops.yaml",
      dataKeys: await Promise.all(keys.map(encryptedTo)),
    },
  ];
  const identity = ageIdentity(Buffer.from(seed, "base64"));

  it("has opened the tree's files", async () => {
    expect(await tried(identity, await files(8, 7))).to.equal(identity);
  });

  it("fails the run with the file's name and no stack trace where it does not open one", async () => {
    const failure: unknown = await tried(identity, await files(8)).catch((error: unknown) => error);
    expect(pulumi.RunError.isInstance(failure)).to.equal(true);
    expect((failure as Error).message).to.match(
      /^The age key of this stack does not open gitops\/clusters\/dev\/secrets\/welcome\/welcome\.sops\.yaml; npx hearth secret init .* name age1/,
    );
  });
});
