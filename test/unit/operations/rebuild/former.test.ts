import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";

import { examineStackFile, parseStackFile } from "../../../../infra/config/stack-file.ts";
import { formerNodes, requireGone, requireKnownMembers } from "../../../../operations/rebuild/former.ts";
import type { Machines } from "../../../../operations/rebuild/silent.ts";

const copy = await readFile(join(import.meta.dirname, "../../../../Pulumi.prod.yaml"), "utf8");
const nodes = examineStackFile(parseStackFile(copy)).config?.nodes ?? {};
const { "den-prod-cp01": first, "den-prod-cp02": second, "den-prod-cp03": third } = nodes;

const found = (state: Machines[string]["state"]): Machines => ({
  cp02: { role: "controlplane", state, hasEtcd: undefined, asked: ["the gateway 10.30.0.1 answers"] },
});

describe("machines that only the escrow knows", () => {
  it("are those that an older checkout lacks, or has with another role", () => {
    if (!first || !second || !third) throw new Error("The committed stack has no three control planes");
    expect(formerNodes(copy, nodes)).to.deep.equal({});
    expect(Object.keys(formerNodes(copy, { "den-prod-cp01": first }) ?? {})).to.deep.equal([
      "den-prod-cp02",
      "den-prod-cp03",
    ]);
    const other = { ...nodes, "den-prod-cp03": { ...third, role: "worker" as const } };
    expect(Object.keys(formerNodes(copy, other) ?? {})).to.deep.equal(["den-prod-cp03"]);
  });

  it("are not those whose address a node of the same role has now: that is examined anyway", () => {
    if (!first || !second || !third) throw new Error("The committed stack has no three control planes");
    expect(formerNodes(copy, { "den-prod-cp01": first, "den-prod-cp02": second, another: third })).to.deep.equal({});
  });

  it("are not known from a file that is not valid", () => {
    expect(formerNodes("config: {}", nodes)).to.equal(undefined);
  });

  it("stop a rebuild while one runs, whatever a person says", () => {
    expect(() => {
      requireGone(found("member"), ["cp02"]);
    }).to.throw("cp02 runs as the escrow says, and the stack file does not have it so. Take the checkout");
  });

  it("stop a rebuild while one is not known to be gone, unless a person says so", () => {
    for (const state of ["silent", "foreign"] as const) {
      expect(() => {
        requireGone(found(state), []);
      })
        .to.throw("cp02: does not answer as a member; the gateway 10.30.0.1 answers")
        .with.property("message")
        .that.contains("--lost cp02");
      requireGone(found(state), ["cp02"]);
    }
    requireGone(found("absent"), []);
    requireGone(found("blank"), []);
  });
});

describe("members of etcd", () => {
  const printed = [
    "NODE         ID                 HOSTNAME   PEER URLS                 CLIENT URLS               LEARNER",
    "10.20.0.11   0a1b2c3d4e5f6071   cp01       https://10.20.0.11:2380   https://10.20.0.11:2379   false",
    "10.20.0.11   0a1b2c3d4e5f6072   cp02       https://10.20.0.12:2380   https://10.20.0.12:2379   false",
  ].join("\n");
  const plane = (address: string, renamedFrom?: string) => ({ role: "controlplane" as const, address, renamedFrom });

  it("are all in the stack file, maybe under a new name", () => {
    requireKnownMembers(printed, { cp01: plane("10.20.0.11"), cp09: plane("10.20.0.12", "cp02") });
    expect(() => {
      requireKnownMembers(printed, { cp01: plane("10.20.0.11") });
    }).to.throw("etcd has cp02 as a member, which the stack file does not have");
  });
});
