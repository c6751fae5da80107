import { expect } from "chai";

import { escrowStatus } from "../../../../components/secrets/escrow-status.ts";
import { outputsOf, type State } from "../../../../lib/engine/state.ts";
import { withRecordedEscrow } from "../../../../operations/rotate/recorded-escrow.ts";
import { readFileSync } from "node:fs";
import { escrowHead } from "../../../../components/secrets/escrow-head.ts";

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
