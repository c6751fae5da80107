import { expect } from "chai";

import { requireSigners } from "../../../components/secrets/escrow.ts";
import { signersOf, signingKeys } from "../../../components/secrets/signing.ts";
import { deriveSeed } from "../../../components/secrets/derive.ts";
import { parseConfig, type HearthConfig } from "../../../infra/config/index.ts";
import { knownSecrets, rawConfig, runStack } from "../../support/stack.ts";

const actual = signersOf(signingKeys(deriveSeed(knownSecrets.password, "signing-seed")));

const naming = (signers: object): HearthConfig => {
  const raw = rawConfig("dev") as { escrow: object };
  return parseConfig("dev", { ...raw, escrow: { ...raw.escrow, signers } });
};

/** The fingerprint that the program gives. */
const escrowOf = async (config: HearthConfig): Promise<string> => {
  const { outputs } = await runStack(config);
  return (outputs.escrow as unknown as { promise: () => Promise<string> }).promise();
};

describe("the signers of backups", () => {
  it("are two keys, of which the cluster gets its own alone", async () => {
    expect(actual.stack).not.to.equal(actual.cluster);
    const { stack, cluster } = signingKeys(deriveSeed(knownSecrets.password, "signing-seed"));
    const created = JSON.stringify((await runStack()).ofType("kubernetes:core/v1:Secret"));
    const oneLine = ({ privateKey }: { privateKey: string }) => privateKey.split("\n").slice(1, -2).join("");
    expect(created).to.contain(oneLine(cluster)).and.not.to.contain(oneLine(stack));
  });

  it("are those that the stack file names, or the program ends", async () => {
    expect(await escrowOf(naming(actual))).to.match(/^sha256:/);
    const other = signersOf(signingKeys(Buffer.alloc(32, 1).toString("base64")));
    for (const [which, signers] of [
      ["stack", { ...actual, stack: other.stack }],
      ["cluster", { ...actual, cluster: other.cluster }],
    ] as const) {
      expect(() => {
        requireSigners(signers, actual);
      }).to.throw(`hearth:escrow.signers.${which} is ${signers[which]}, and this ${which} signs as ${actual[which]}`);
    }
    requireSigners(undefined, actual);
  });

  it("have to be keys", () => {
    const { stack, cluster } = actual;
    expect(() => naming({ stack, cluster: `${cluster} comment` })).to.throw("is not a signer");
    expect(() => naming({ stack })).to.throw("cluster");
  });
});
