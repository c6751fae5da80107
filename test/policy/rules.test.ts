import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";

import { resourceTypes } from "../../components/resource-types.ts";
import { parseConfig, type HearthConfig } from "../../infra/config/index.ts";
import { policyNames, policySchema } from "../../infra/config/policy.ts";
import type { Resource } from "../../policy/resource.ts";
import { rules } from "../../policy/rules/index.ts";
import { escrowProblem } from "../../policy/escrow.ts";
import type { Surroundings } from "../../policy/stack.ts";
import { Checkout } from "../../policy/checkout.ts";
import { changed, findings, recordedOf, stackOf } from "../support/policy.ts";
import { rawConfig } from "../support/stack.ts";

const configOf = (stack: string): HearthConfig => parseConfig(stack, rawConfig(stack));

/** A program's resources do not change by being looked at: one run is enough for all tests. */
const stacks = new Map<string, Promise<{ resources: Resource[]; surroundings: Surroundings }>>();
const committed = (stack: string) => {
  const known = stacks.get(stack) ?? stackOf(configOf(stack));
  stacks.set(stack, known);
  return known;
};

const dnsType = "cloudflare:index/dnsRecord:DnsRecord";

const record = (inputs: Record<string, unknown>): Resource => ({
  urn: `urn:pulumi:dev::hearth::${dnsType}::extra`,
  type: dnsType,
  name: "extra",
  inputs: { name: "extra.example.com", type: "A", ttl: 1, content: "203.0.113.7", ...inputs },
  secretPaths: [],
  protect: false,
  provider: {},
});

describe("the policy pack", () => {
  it("is explained, every policy of it", () => {
    const guide = readFileSync(join(import.meta.dirname, "../../docs/guides/policy.md"), "utf8");
    expect(policyNames.filter((name) => !guide.includes(`| \`${name}\` `))).to.deep.equal([]);
  });

  it("has a rule for every policy that a stack file can name", () => {
    expect(rules.map(({ name }) => name)).to.have.members([...policyNames]);
  });

  for (const stack of ["dev", "prod"]) {
    it(`lets the committed stack ${stack} pass`, async () => {
      const { resources, surroundings } = await committed(stack);
      expect(resources.length).to.be.greaterThan(20);
      expect(resources[0]?.type).to.equal(resourceTypes.stack);
      expect(await findings(resources, surroundings)).to.deep.equal([]);
    });

    it(`lets ${stack} pass a second time, over its own state`, async () => {
      const { resources, surroundings } = await committed(stack);
      expect(await findings(resources, { ...surroundings, recorded: recordedOf(resources) })).to.deep.equal([]);
    });
  }
});

describe("what surrounds a stack", () => {
  it("is refused where its escrow names nobody yet, but in the lab, which names itself", () => {
    const checkout = new Checkout(join(import.meta.dirname, "../.."));
    expect(() => checkout.config("dev", {})).to.throw("escrow.recipients.0 <your age recipient> stands where");
    expect(checkout.config("dev", { HEARTH_LAB: "dev" }).cluster.name).to.equal("den-dev");
  });
});

describe("a stack that has everything", () => {
  const secrets = {
    gitToken: pulumi.secret("glpat-a1B2c3D4e5F6g7H8i9J0"),
    githubToken: pulumi.secret(`ghp_${"a1B2".repeat(9)}`),
    machinePatches: pulumi.secret({ all: [{ machine: { env: { KEY: "Zz9".repeat(10) } } }] }),
  };
  const config = (engine: "flux" | "argocd"): HearthConfig => {
    const { cloudflare, gitops, ...rest } = configOf("dev");
    if (!cloudflare) throw new Error("dev has no Cloudflare");
    const [rule] = cloudflare.ingress;
    return {
      ...rest,
      cloudflare: {
        ...cloudflare,
        tunnels: {
          den: {
            ingress: [{ ...rule, hostname: "nas.example.com", service: "http://10.20.0.9:80", publicRecord: true }],
          },
        },
        records: [
          { name: "nas", type: "A", content: "10.20.0.9", proxied: false, ttl: 1 },
          { name: "@", type: "MX", content: "mx.example.net", priority: 10, proxied: false, ttl: 1 },
        ],
      },
      gitops: { ...gitops, engine },
    };
  };

  for (const engine of ["flux", "argocd"] as const) {
    it(`passes with ${engine}`, async () => {
      const { resources, surroundings } = await stackOf(config(engine), secrets);
      expect(await findings(resources, surroundings)).to.deep.equal([]);
    });
  }
});

describe("the policy control-plane-quorum", () => {
  const prodWithout = async (...names: string[]) => {
    const { resources, surroundings } = await committed("prod");
    const nodes = Object.fromEntries(
      Object.entries(surroundings.config.nodes).filter(([name]) => !names.includes(name)),
    );
    return {
      resources: resources.filter(({ name }) => !names.includes(name)),
      surroundings: { ...surroundings, config: { ...surroundings.config, nodes }, recorded: recordedOf(resources) },
    };
  };

  const moved = (resources: Resource[], ...names: string[]): Resource[] =>
    names.reduce((all, name) => {
      const apply = all.find((each) => each.type === resourceTypes.machineConfiguration && each.name === name);
      return changed(all, resourceTypes.machineConfiguration, name, {
        inputs: { ...apply?.inputs, node: `${String(apply?.inputs.node)}9` },
      });
    }, resources);

  const problems = async (resources: Resource[], surroundings: Surroundings): Promise<string[]> =>
    (await findings(resources, surroundings))
      .filter(({ policy }) => policy === "control-plane-quorum")
      .map(({ problem }) => problem);

  it("lets one of three go", async () => {
    const { resources, surroundings } = await prodWithout("den-prod-cp03");
    expect(await problems(resources, surroundings)).to.deep.equal([]);
  });

  it("refuses that two of three go together, before anything is changed", async () => {
    const { resources, surroundings } = await prodWithout("den-prod-cp02", "den-prod-cp03");
    const [stack] = resources;
    expect(await problems(stack ? [stack] : [], surroundings)).to.include(
      "den-prod-cp02 and den-prod-cp03 of 3 control planes would be replaced or deleted, and etcd needs 2 of them to decide",
    );
  });

  it("lets one of three be replaced", async () => {
    const { resources, surroundings } = await committed("prod");
    const after = { ...surroundings, recorded: recordedOf(resources) };
    expect(await problems(moved(resources, "den-prod-cp01"), after)).to.deep.equal([]);
  });

  it("refuses that two of three are replaced", async () => {
    const { resources, surroundings } = await committed("prod");
    const after = { ...surroundings, recorded: recordedOf(resources) };
    const found = await problems(moved(resources, "den-prod-cp01", "den-prod-cp03"), after);
    expect(found).to.have.length(1);
    expect(found[0]).to.contain("den-prod-cp01 and den-prod-cp03 of 3");
  });

  it("refuses that one is replaced while another goes", async () => {
    const { resources, surroundings } = await prodWithout("den-prod-cp02");
    expect(await problems(moved(resources, "den-prod-cp01"), surroundings)).to.not.deep.equal([]);
  });

  it("refuses that the only control plane becomes another machine", async () => {
    const { resources, surroundings } = await committed("dev");
    const vm = resources.find((each) => each.type === resourceTypes.virtualMachine && each.name === "den-dev-cp01");
    const other = changed(resources, resourceTypes.virtualMachine, "den-dev-cp01", {
      inputs: { ...vm?.inputs, vmId: 2999 },
    });
    const [first] = await problems(other, { ...surroundings, recorded: recordedOf(resources) });
    expect(first).to.equal(
      "den-dev-cp01 of 1 control plane would be replaced or deleted, and etcd needs 1 of them to decide",
    );
  });

  it("lets workers go, and a new stack come", async () => {
    const { resources, surroundings } = await committed("dev");
    const fewer = resources.filter(({ name }) => !name.startsWith("den-dev-wk"));
    expect(await problems(fewer, { ...surroundings, recorded: recordedOf(resources) })).to.deep.equal([]);
    expect(await problems(resources, surroundings)).to.deep.equal([]);
  });

  describe("where a rollout is planned", () => {
    const planned = <S extends { surroundings: Surroundings }>({ surroundings, ...rest }: S) => ({
      ...rest,
      surroundings: { ...surroundings, isPlanned: true },
    });

    it("lets two of three go, which the rollout takes one by one", async () => {
      const { resources, surroundings } = planned(await prodWithout("den-prod-cp02", "den-prod-cp03"));
      expect(await problems(resources, surroundings)).to.deep.equal([]);
    });

    it("refuses that the only control plane is replaced, and lets it be where two join before", async () => {
      const { resources, surroundings } = planned(await committed("dev"));
      const vm = resources.find((each) => each.type === resourceTypes.virtualMachine && each.name === "den-dev-cp01");
      const inputs = { ...vm?.inputs, vmId: 2999 };
      const other = changed(resources, resourceTypes.virtualMachine, "den-dev-cp01", { inputs });
      const after = { ...surroundings, recorded: recordedOf(resources) };
      expect(await problems(other, after)).to.have.length(1);
      const { nodes } = surroundings.config;
      const cp01 = nodes["den-dev-cp01"];
      const three = cp01 ? { ...nodes, "den-dev-cp02": cp01, "den-dev-cp03": cp01 } : nodes;
      expect(await problems(other, { ...after, config: { ...surroundings.config, nodes: three } })).to.deep.equal([]);
    });

    it("lets the second last one become a worker on another machine, which only leaves etcd", async () => {
      const { resources, surroundings } = planned(await committed("dev"));
      const cp01 = "den-dev-cp01";
      const vm = resources.find((each) => each.type === resourceTypes.virtualMachine && each.name === cp01);
      const other = changed(resources, resourceTypes.virtualMachine, cp01, { inputs: { ...vm?.inputs, vmId: 2999 } });
      const { config } = surroundings;
      const { [cp01]: plane, ...rest } = config.nodes;
      const nodes = plane ? { ...rest, [cp01]: { ...plane, role: "worker" as const } } : rest;
      const after = { ...surroundings, recorded: recordedOf(resources), config: { ...config, nodes } };
      expect(await problems(other, after)).to.deep.equal([]);
    });

    it("leaves other addresses to the plan, which refuses each of them and says what is the way", async () => {
      const { resources, surroundings } = planned(await committed("prod"));
      const after = { ...surroundings, recorded: recordedOf(resources) };
      expect(await problems(moved(resources, "den-prod-cp01", "den-prod-cp03"), after)).to.deep.equal([]);
    });
  });

  it("refuses at the end what the stack file did not tell", async () => {
    const { resources, surroundings } = await committed("prod");
    const fewer = resources.filter(({ name }) => !["den-prod-cp01", "den-prod-cp02"].includes(name));
    expect(await problems(fewer, { ...surroundings, recorded: recordedOf(resources) })).to.have.length(1);
  });
});

describe("the policy kept-resources", () => {
  const found = async (change: (inputs: Resource["inputs"]) => Resource["inputs"] | undefined) => {
    const { resources, surroundings } = await committed("dev");
    const isWorker = ({ type, name }: Resource) => type === resourceTypes.virtualMachine && name === "den-dev-wk02";
    const now = resources.flatMap((each) => {
      if (!isWorker(each)) return [each];
      const inputs = change(each.inputs);
      return inputs ? [{ ...each, inputs }] : [];
    });
    const all = await findings(now, { ...surroundings, recorded: recordedOf(resources) });
    return all.filter(({ policy }) => policy === "kept-resources");
  };

  it("refuses to replace a virtual machine, and says why it would be", async () => {
    const [finding, ...others] = await found((inputs) => ({ ...inputs, vmId: 2999 }));
    expect(finding?.problem).to.equal(
      "the machine den-dev-wk02 would be replaced, because of vmId, and all that is on its disks with it",
    );
    expect([finding?.subject, others]).to.deep.equal(["den-dev-wk02", []]);
  });

  it("refuses to delete one", async () => {
    const [finding] = await found(() => undefined);
    expect(finding?.problem).to.contain("den-dev-wk02 would be deleted");
  });

  it("refuses that a machine of metal is reset under its old name, and takes its new one for the same", async () => {
    const { resources, surroundings } = await committed("prod");
    const isOld = ({ name }: Resource) => name === "den-prod-cp03";
    const to = "den-prod-cp09";
    const now = resources.map((each) =>
      isOld(each) ? { ...each, name: to, urn: each.urn.replace("den-prod-cp03", to) } : each,
    );
    const renamed = async (renamedFrom?: string) => {
      const { "den-prod-cp03": node, ...nodes } = surroundings.config.nodes;
      if (!node) throw new Error("prod has no den-prod-cp03");
      const config = { ...surroundings.config, nodes: { ...nodes, [to]: { ...node, renamedFrom } } };
      const all = await findings(now, { ...surroundings, config, recorded: recordedOf(resources) });
      return all.filter(({ policy }) => ["kept-resources", "control-plane-quorum"].includes(policy));
    };
    const [finding] = await renamed();
    expect(finding?.problem).to.contain("den-prod-cp03 and den-prod-cp09 are the same machine");
    expect(finding?.advice).to.equal("write renamedFrom: den-prod-cp03 under nodes.den-prod-cp09");
    expect(await renamed("den-prod-cp03")).to.deep.equal([]);
  });

  it("refuses that a tunnel, a root secret or a disk goes", async () => {
    const { resources, surroundings } = await committed("dev");
    const lost: string[] = [resourceTypes.tunnel, resourceTypes.machineSecrets];
    const worker = resources.find(({ type, name }) => type === resourceTypes.virtualMachine && name === "den-dev-wk01");
    const disks = (worker?.inputs.disks as unknown[]).slice(0, 1);
    const fewer = resources
      .filter(({ type }) => !lost.includes(type))
      .map((each) => (each === worker ? { ...each, inputs: { ...each.inputs, disks } } : each));
    const all = await findings(fewer, { ...surroundings, recorded: recordedOf(resources) });
    const kept = all.filter(({ policy }) => policy === "kept-resources").map(({ problem }) => problem);
    expect(kept.map((problem) => /^the (\w+ \w+)/.exec(problem)?.[1])).to.have.members([
      ...["volume of", "root secret"],
      ...resources
        .filter(({ type }) => type === resourceTypes.tunnel)
        .map(({ name }) => `tunnel ${/^\w+/.exec(name)?.[0] ?? ""}`),
    ]);
  });

  it("lets one move to another host, and get a TPM", async () => {
    expect(await found((inputs) => ({ ...inputs, nodeName: "pve2" }))).to.deep.equal([]);
    expect(await found((inputs) => ({ ...inputs, tpmState: { version: "v2.0" } }))).to.deep.equal([]);
  });

  it("takes an exemption only where that names machines and a last day", () => {
    const { success, error } = policySchema.safeParse({
      exemptions: [{ policy: "kept-resources", reason: "All of them are to go away" }],
    });
    expect(success).to.equal(false);
    expect(error?.issues[0]?.message).to.contain("has to name what may be lost");
  });
});

describe("the policy protected-secrets", () => {
  for (const [type, name] of [
    ["talos:machine/secrets:Secrets", "machine-secrets"],
    ["random:index/randomPassword:RandomPassword", "deploy-key-seed"],
    ["random:index/randomPassword:RandomPassword", "tunnel-secret"],
    ["cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared", "den-dev"],
  ] as const) {
    it(`refuses ${name} without protection`, async () => {
      const { resources, surroundings } = await committed("dev");
      const [found, ...others] = await findings(changed(resources, type, name, { protect: false }), surroundings);
      expect(others).to.deep.equal([]);
      expect(found).to.include({ policy: "protected-secrets", subject: name });
      expect(found?.advice).to.contain("protect: true");
    });
  }
});

describe("the policy disk-encryption", () => {
  const open = (stack: string, changes: Partial<HearthConfig> = {}): Promise<Awaited<ReturnType<typeof stackOf>>> => {
    const config = configOf(stack);
    return stackOf({ ...config, cluster: { ...config.cluster, diskEncryption: "none" }, ...changes });
  };

  it("refuses machines of prod whose disks are open, each by its name", async () => {
    const { resources, surroundings } = await open("prod");
    const found = await findings(resources, surroundings);
    expect(found.map(({ subject }) => subject)).to.deep.equal(["den-prod-cp01", "den-prod-cp02", "den-prod-cp03"]);
    expect(found[0]).to.include({
      policy: "disk-encryption",
      problem: "den-prod-cp01 keeps STATE and EPHEMERAL unencrypted",
    });
  });

  it("lets dev have them", async () => {
    const { resources, surroundings } = await open("dev");
    expect(await findings(resources, surroundings)).to.deep.equal([]);
  });

  it("goes by what the stack file says of production", async () => {
    const { resources, surroundings } = await open("dev", { policy: { production: true, exemptions: [] } });
    expect((await findings(resources, surroundings)).map(({ policy }) => policy)).to.deep.equal(
      Array<string>(3).fill("disk-encryption"),
    );
  });
});

describe("the policy cilium-on-talos", () => {
  it("refuses a patch that brings kube-proxy back", async () => {
    const config = configOf("dev");
    const patches = { ...config.cluster.patches, all: [{ cluster: { proxy: { disabled: false } } }] };
    const { resources, surroundings } = await stackOf({ ...config, cluster: { ...config.cluster, patches } });
    const found = await findings(resources, surroundings);
    expect(found).to.have.length(3);
    expect(found.map(({ problem }) => problem)).to.include(
      "the configuration of den-dev-cp01 does not have cluster.proxy.disabled: true, and Cilium replaces kube-proxy",
    );
  });

  it("refuses values that do not suit Talos", async () => {
    const { resources, surroundings } = await committed("dev");
    const values = { ...surroundings.cilium.values, kubeProxyReplacement: false };
    const found = await findings(resources, { ...surroundings, cilium: { ...surroundings.cilium, values } });
    expect(found.map(({ problem }) => problem)).to.deep.equal([
      "Cilium's value kubeProxyReplacement false does not suit Talos",
    ]);
  });
});

describe("the policy proxied-records", () => {
  const found = async (inputs: Record<string, unknown>) => {
    const { surroundings } = await committed("dev");
    return findings([record(inputs)], surroundings);
  };

  it("refuses a public address that is not proxied", async () => {
    expect(await found({})).to.deep.equal([
      {
        policy: "proxied-records",
        problem: "the record A extra.example.com shows 203.0.113.7 to everyone",
        advice: "set proxied: true, or publish it by an ingress rule of the tunnel",
        subject: "extra.example.com",
      },
    ]);
  });

  it("refuses a name that leads to one", async () => {
    expect(await found({ type: "CNAME", content: "home.example.net", proxied: false })).to.have.length(1);
  });

  for (const [what, inputs] of [
    ["a proxied address", { proxied: true }],
    ["a private address", { content: "10.20.0.11" }],
    ["a shared address of a carrier", { content: "100.72.0.1" }],
    ["a private IPv6 address", { type: "AAAA", content: "fd00::1" }],
    ["a record for mail", { type: "MX", content: "mx.example.net" }],
    ["text", { type: "TXT", content: "v=spf1 -all" }],
    ["a tunnel that has no name yet", { type: "CNAME", content: undefined }],
  ] as const) {
    it(`lets ${what} pass`, async () => {
      expect(await found(inputs)).to.deep.equal([]);
    });
  }
});

describe("the policy fresh-escrow", () => {
  it("refuses an escrow of other secrets, and says how to write it anew", async () => {
    const { resources, surroundings } = await committed("prod");
    const escrow = { path: "escrow/prod.sops.yaml", problem: "is of 2026-11-01, and root secrets have changed since" };
    expect(await findings(resources, { ...surroundings, escrow })).to.deep.equal([
      {
        policy: "fresh-escrow",
        problem: "escrow/prod.sops.yaml is of 2026-11-01, and root secrets have changed since",
        advice: "write it with npx hearth escrow prod, and commit it",
        subject: "prod",
      },
    ]);
  });

  describe("by the file and the state", () => {
    const root = mkdtempSync(join(tmpdir(), "hearth-policy-"));
    const of = async (fingerprint: string | undefined) => {
      const { surroundings } = await committed("prod");
      const recorded = [
        {
          ...{ urn: "urn:pulumi:prod::hearth::hearth:secrets:Escrow::escrow", type: "hearth:secrets:Escrow" },
          ...{ inputs: {}, outputs: { fingerprint }, protect: false, ignoreChanges: [] },
        },
      ];
      return escrowProblem(root, "prod", surroundings.config, recorded);
    };

    after(() => {
      rmSync(root, { recursive: true });
    });

    it("finds the file missing", async () => {
      expect((await of("f1"))?.problem).to.contain("is missing");
    });

    it("asks nothing before the state has secrets", async () => {
      expect(await of(undefined)).to.equal(undefined);
    });

    it("finds it stale, and fresh", async () => {
      const { surroundings } = await committed("prod");
      const recipients = surroundings.config.escrow?.recipients ?? [];
      mkdirSync(join(root, "escrow"), { recursive: true });
      writeFileSync(
        join(root, "escrow", "prod.sops.yaml"),
        JSON.stringify({
          ...{ version: 1, stack: "prod", cluster: "den-prod", createdAt: "2026-11-01T00:00:00Z", fingerprint: "f1" },
          sops: { mac: "ENC[…]", age: recipients.map((recipient) => ({ recipient, enc: "…" })) },
        }),
      );
      expect(await of("f1")).to.equal(undefined);
      expect((await of("f2"))?.problem).to.contain("root secrets have changed since");
    });
  });
});

describe("the policy unique-addresses", () => {
  const withVm = async (change: (inputs: Record<string, unknown>) => Record<string, unknown>) => {
    const { resources, surroundings } = await committed("dev");
    const vm = resources.find((each) => each.type === resourceTypes.virtualMachine && each.name === "den-dev-wk02");
    const others = changed(resources, resourceTypes.virtualMachine, "den-dev-wk02", {
      inputs: change(vm?.inputs ?? {}),
    });
    return (await findings(others, surroundings)).map(({ problem }) => problem);
  };

  it("refuses a VMID that another machine has", async () => {
    const [first] = await withVm((inputs) => ({ ...inputs, vmId: 2021 }));
    expect(first).to.match(
      /^the VMID 2021 at https:\/\/10\.20\.0\.5:8006 of den-dev-wk02 is also that of den-dev-wk01$/,
    );
  });

  it("refuses a hardware address that another machine has, however it is written", async () => {
    expect(
      await withVm((inputs) => ({
        ...inputs,
        networkDevices: [{ ...(inputs.networkDevices as object[])[0], macAddress: "bc:24:11:20:00:21" }],
      })),
    ).to.deep.equal(["the hardware address bc:24:11:20:00:21 of den-dev-wk02 is also that of den-dev-wk01"]);
  });

  it("refuses the VIP as the address of a machine", async () => {
    const found = await withVm((inputs) => ({
      ...inputs,
      initialization: { ipConfigs: [{ ipv4: { address: "10.20.0.10/24", gateway: "10.20.0.1" } }] },
    }));
    expect(found.join()).to.contain("the address 10.20.0.10 of").and.to.contain("the VIP");
  });

  it("refuses what another stack has", async () => {
    const { resources, surroundings } = await committed("dev");
    const collisions = [
      {
        path: ["nodes", "den-dev-wk01", "address"],
        problem: "10.30.0.11 is also the address of den-prod-cp01 in Pulumi.prod.yaml",
        advice: "give one of them another",
      },
    ];
    expect((await findings(resources, { ...surroundings, collisions })).map(({ problem }) => problem)).to.deep.equal([
      "nodes.den-dev-wk01.address: 10.30.0.11 is also the address of den-prod-cp01 in Pulumi.prod.yaml",
    ]);
  });
});

describe("the policy version-skew", () => {
  const problems = async (resources: Resource[], surroundings: Surroundings): Promise<string[]> =>
    (await findings(resources, surroundings))
      .filter(({ policy }) => policy === "version-skew")
      .map(({ problem }) => problem);

  it("refuses a Cilium that is not tested with the Kubernetes", async () => {
    const { resources, surroundings } = await committed("dev");
    expect(
      await problems(resources, { ...surroundings, cilium: { ...surroundings.cilium, version: "1.18.2" } }),
    ).to.deep.equal(["Cilium 1.18.2 is not tested with Kubernetes v1.36.4"]);
  });

  it("refuses a Cilium that nobody has looked up", async () => {
    const { resources, surroundings } = await committed("dev");
    const [first] = await problems(resources, {
      ...surroundings,
      cilium: { ...surroundings.cilium, version: "1.99.0" },
    });
    expect(first).to.contain("Hearth does not know which Kubernetes minors Cilium 1.99.0 is tested with");
  });

  it("refuses a Kubernetes that Talos does not support", async () => {
    const { resources, surroundings } = await committed("dev");
    const { cluster } = surroundings.config;
    const config = { ...surroundings.config, cluster: { ...cluster, talos: "v1.12.4" } };
    expect((await problems(resources, { ...surroundings, config })).join()).to.contain(
      "Talos v1.12.4 does not support Kubernetes v1.36.4",
    );
  });

  const step = async (from: string, to: string): Promise<string[]> => {
    const { resources, surroundings } = await committed("dev");
    const at = (release: string) =>
      resources.map((each) =>
        each.type === resourceTypes.machineConfiguration
          ? {
              ...each,
              inputs: {
                ...each.inputs,
                configPatches: (each.inputs.configPatches as string[]).map((patch) =>
                  patch.replace(/(installer\/\w+:)\S+/, `$1${release}`),
                ),
              },
            }
          : each,
      );
    return problems(at(to), { ...surroundings, recorded: recordedOf(at(from)) });
  };

  it("lets Talos go up by a patch or a minor", async () => {
    expect(await step("v1.12.3", "v1.12.9")).to.deep.equal([]);
    expect(await step("v1.12.9", "v1.13.0")).to.deep.equal([]);
    expect(await step("v1.12.9", "v1.12.3")).to.deep.equal([]);
  });

  it("refuses to skip a minor of Talos", async () => {
    const found = await step("v1.11.5", "v1.13.9");
    expect(found).to.have.length(3);
    expect(found).to.include("den-dev-cp01 would go from Talos v1.11.5 to v1.13.9, which skips a minor");
  });

  it("refuses to go back by a minor of Talos", async () => {
    expect(await step("v1.13.9", "v1.12.9")).to.include("den-dev-cp01 would go back from Talos v1.13.9 to v1.12.9");
  });
});

describe("the step from one Kubernetes to another", () => {
  const problems = async (from: string): Promise<string[]> => {
    const { resources, surroundings } = await committed("dev");
    const type = "hearth:talos:TalosCluster";
    const recorded = recordedOf(resources).map((each) =>
      each.type === type ? { ...each, outputs: { kubernetes: from } } : each,
    );
    expect(recorded.filter((each) => each.type === type)).to.have.length(1);
    return (await findings(resources, { ...surroundings, recorded })).map(({ problem }) => problem);
  };

  it("may be of one minor, or within one", async () => {
    expect(await problems("v1.35.9")).to.deep.equal([]);
    expect(await problems("v1.36.9")).to.deep.equal([]);
  });

  it("may skip none, and not go back", async () => {
    expect(await problems("v1.34.1")).to.deep.equal([
      "den-dev would go from Kubernetes v1.34.1 to v1.36.4, which skips a minor",
    ]);
    expect(await problems("v1.37.0")).to.deep.equal(["den-dev would go back from Kubernetes v1.37.0 to v1.36.4"]);
  });
});

describe("the policy secret-inputs", () => {
  const settings: Resource = {
    urn: "urn:pulumi:dev::hearth::kubernetes:core/v1:ConfigMap::extra",
    type: "kubernetes:core/v1:ConfigMap",
    name: "extra",
    inputs: {},
    secretPaths: [],
    protect: false,
    provider: {},
  };
  const found = async (inputs: Record<string, unknown>, secretPaths: string[] = []) => {
    const { resources, surroundings } = await committed("dev");
    return findings([...resources, { ...settings, inputs, secretPaths }], surroundings);
  };
  const opened = "GbbEiDnKpLdJg0tUq4mB7yZw1XcVhR5e";

  for (const [what, value] of [
    ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n"],
    ["an age identity", `AGE-SECRET-KEY-1${"Q".repeat(58)}`],
    ["a GitHub token", `ghp_${"a1B2".repeat(9)}`],
    ["a Proxmox API token", "hearth@pve!deploy=01234567-89ab-cdef-0123-456789abcdef"],
  ] as const) {
    it(`refuses ${what} in the clear, and does not say it`, async () => {
      const all = await found({ data: { note: value } });
      expect(all.map(({ problem }) => problem)).to.deep.equal([
        `extra has ${what} in the clear, in its input data.note`,
      ]);
      expect(JSON.stringify(all)).not.to.contain(value.slice(5, 30));
    });
  }

  it("refuses what is called a password, whatever it looks like", async () => {
    expect(await found({ password: "hunter2" })).to.have.length(1);
  });

  it("refuses a secret in a machine's patches, by what it is called there", async () => {
    const { resources, surroundings } = await committed("dev");
    const all = resources.map((each) =>
      each.type === resourceTypes.machineConfiguration && each.name === "den-dev-wk01"
        ? {
            ...each,
            inputs: {
              ...each.inputs,
              configPatches: [
                ...(each.inputs.configPatches as string[]),
                "apiVersion: v1alpha1\nkind: RegistryAuthConfig\nname: ghcr.io\nusername: me\npassword: hunter2\n",
              ],
            },
          }
        : each,
    );
    const [finding, ...more] = await findings(all, surroundings);
    expect(finding?.problem).to.equal("den-dev-wk01 has the secret password in the clear, in password of its patches");
    expect(finding?.advice).to.contain("hearth:machinePatches");
    expect(more).to.deep.equal([]);
  });

  it("lets the same pass where it is secret", async () => {
    expect(await found({ password: "hunter2", data: { note: opened } }, ["password", "data"])).to.deep.equal([]);
  });

  it("refuses a copy of another resource's secret", async () => {
    const { resources, surroundings } = await committed("dev");
    const secret: Resource = {
      ...settings,
      urn: `${settings.urn}2`,
      name: "holder",
      inputs: { data: { key: opened } },
      secretPaths: ["data"],
    };
    const copy: Resource = { ...settings, inputs: { data: { note: `key=${opened}`, other: `"${opened}"` } } };
    const all = await findings([...resources, secret, copy], surroundings);
    expect(all.map(({ problem }) => problem)).to.deep.equal([
      "extra has a secret of holder in the clear, in its input data.other",
    ]);
    expect(JSON.stringify(all)).not.to.contain(opened);
  });
});

describe("a machine that an update with targets does not create", () => {
  it("has no inputs, and passes; one without patches does not", async () => {
    const { resources, surroundings } = await committed("prod");
    const policies = async (inputs: Resource["inputs"]) => {
      const all = changed(resources, resourceTypes.machineConfiguration, "den-prod-cp03", { inputs });
      return new Set((await findings(all, surroundings)).map(({ policy }) => policy));
    };
    expect([...(await policies({}))]).to.deep.equal([]);
    expect([...(await policies({ node: "10.30.0.13" }))]).to.include.members(["disk-encryption", "cilium-on-talos"]);
  });
});
