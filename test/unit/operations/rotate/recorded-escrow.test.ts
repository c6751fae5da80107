import { expect } from "chai";

import { escrowStatus } from "../../../../components/secrets/escrow-status.ts";
import { outputsOf, type State } from "../../../../lib/engine/state.ts";
import { requireEscrowable, withRecordedEscrow } from "../../../../operations/rotate/recorded-escrow.ts";
import { commitStep, type Surroundings } from "../../../../operations/rotate/rotation.ts";
import { rotations } from "../../../../operations/rotate/rotations.ts";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { escrowHead } from "../../../../components/secrets/escrow-head.ts";
import { deriveSeed } from "../../../../components/secrets/derive.ts";
import { signersOf, signingKeys, signingSeed, type Signers } from "../../../../components/secrets/signing.ts";
import type { Target } from "../../../../lib/engine/target.ts";
import { messageOf } from "../../../support/failure.ts";
import { secretInState as secret } from "../../../support/wire.ts";

const written = readFileSync(new URL("../../../fixtures/escrow/v1/full.sops.yaml", import.meta.url), "utf8");

const state: State = {
  version: 3,
  deployment: {
    resources: [
      {
        urn: "urn:pulumi:dev::hearth::pulumi:pulumi:Stack::hearth-dev",
        type: "pulumi:pulumi:Stack",
        outputs: { escrow: "sha256:old", tunnel: "id" },
      },
      {
        urn: "urn:pulumi:dev::hearth::hearth:secrets:Escrow::escrow",
        type: "hearth:secrets:Escrow",
        outputs: { fingerprint: "sha256:old" },
      },
    ],
  },
};

describe("a state after its escrow was written anew", () => {
  it("records that one, so that the policy lets the update pass that gives the cluster the new secret", () => {
    const read = escrowHead(written);
    if (!("head" in read)) throw new Error(JSON.stringify(read));
    const { stack, fingerprint, recipients } = read.head;
    const status = (of: State) =>
      escrowStatus(written, {
        stack,
        recipients,
        fingerprint: String(outputsOf(of, "hearth:secrets:Escrow")?.fingerprint),
      }).is;
    expect(status(state)).to.equal("stale");
    const recorded = withRecordedEscrow(state, fingerprint);
    expect(status(recorded)).to.equal("current");
    expect(outputsOf(recorded, "pulumi:pulumi:Stack")).to.deep.equal({ escrow: fingerprint, tunnel: "id" });
  });

  it("records none if it recorded none before", () => {
    const none: State = {
      version: 3,
      deployment: { resources: [{ urn: "u", type: "pulumi:pulumi:Stack", outputs: {} }] },
    };
    expect(withRecordedEscrow(none, "sha256:new")).to.deep.equal(none);
  });
});

describe("an escrow that a rotation will write", () => {
  const seed: State = {
    version: 3,
    deployment: {
      resources: [
        {
          urn: `urn:pulumi:dev::hearth::random:index/randomPassword:RandomPassword::${signingSeed}`,
          type: "random:index/randomPassword:RandomPassword",
          outputs: { result: secret("drawn") },
        },
      ],
    },
  };
  const signers = signersOf(signingKeys(deriveSeed("drawn", signingSeed)));

  const stackFile = fileURLToPath(new URL("../../../../Pulumi.dev.yaml", import.meta.url));

  /** A stack whose engine fails a test that makes it change anything. */
  const target = (of: State, escrow: { recipients?: string[]; signers?: Signers }, file = stackFile) =>
    ({
      root: "/nonexistent",
      stackFile: file,
      stack: "dev",
      isLab: false,
      config: () =>
        Promise.resolve({
          escrow: { recipients: ["age1own"], copies: [], ...escrow },
          cloudflare: {},
          proxmox: {},
          gitops: { repository: "https://github.com/you/hearth.git" },
          network: { announce: { mode: "bgp", authentication: "password" } },
        }),
      environment: {},
      engine: {
        state: () => Promise.resolve(of),
        changeState: () => Promise.reject(new Error("It changes the state")),
        configure: () => Promise.reject(new Error("It reads or changes the stack file")),
      },
    }) as unknown as Target;
  const none: State = { version: 3, deployment: { resources: [] } };

  it("can be written where somebody can open it and the state signs as the stack file says", async () => {
    await requireEscrowable(target(seed, {}));
    await requireEscrowable(target(seed, { signers }));
  });

  it("is refused where nobody could open it, and where nothing or something else would sign it", async () => {
    expect(await messageOf(requireEscrowable(target(seed, { recipients: [] })))).to.contain("list age recipients");
    expect(await messageOf(requireEscrowable(target(none, {})))).to.contain("has no signing key yet");
    const others = { ...signers, stack: signers.cluster };
    expect(await messageOf(requireEscrowable(target(seed, { signers: others })))).to.contain("hearth:escrow.signers");
  });

  it("is refused where a person has to write the signers into the stack file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hearth-"));
    const file = join(folder, "Pulumi.dev.yaml");
    await writeFile(file, "config:\n  hearth:escrow: { recipients: [age1own] }\n");
    const message = await messageOf(requireEscrowable(target(seed, {}, file)));
    expect(message).to.contain(`add this to it yourself: signers: { stack: ${signers.stack}`);
    await requireEscrowable(target(seed, { signers }, file));
    await rm(folder, { recursive: true });
  });

  const named = /^(age|.*-(token|authority|password|credentials))$/;
  for (const { name, rotate } of rotations.filter(({ name: each }) => named.test(each))) {
    if (name === "webhook-token" || name === "etcd-authority") continue;
    it(`is looked at before ${name} changes anything`, async () => {
      const surroundings = {
        target: target(none, {}),
        credentials: { live: () => undefined },
        signal: new AbortController().signal,
        readValue: () => Promise.reject(new Error("It asks for a value")),
      };
      expect(await messageOf(rotate(surroundings as unknown as Surroundings))).to.contain("has no signing key yet");
    });
  }
});

describe("the commit that a rotation asks for", () => {
  const path = "escrow/dev.sops.yaml";
  const at = { isLab: false, stack: "dev" };

  it("has the escrow's signature, and the stack file once where the escrow or the rotation changed it", () => {
    const all = [`commit Pulumi.dev.yaml and ${path} and ${path}.sig, and push`];
    expect(commitStep(at, { path, namesSigners: false })).to.deep.equal([`commit ${path} and ${path}.sig, and push`]);
    expect(commitStep(at, { path, namesSigners: true })).to.deep.equal(all);
    expect(commitStep(at, { path, namesSigners: true }, "Pulumi.dev.yaml")).to.deep.equal(all);
  });

  it("is none in the lab", () => {
    expect(commitStep({ ...at, isLab: true }, { path, namesSigners: true })).to.deep.equal([]);
  });
});
