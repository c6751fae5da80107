import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";

import { expect } from "chai";
import { execa } from "execa";
import { parse, parseAllDocuments, stringify } from "yaml";

import { receiverPath } from "../../components/gitops/webhook.ts";
import { parseConfig } from "../../infra/config/index.ts";
import { connector } from "../support/connector.ts";
import { LabCheckout, type Stack } from "../support/lab-checkout.ts";
import { Outside } from "../support/lab-outside.ts";
import { eventually } from "../support/lab-process.ts";
import { tool } from "../support/tools.ts";
import { processTree, type Process } from "../support/processes.ts";
import { rawConfig, runStack } from "../support/stack.ts";
import { moduleFolder } from "../../toolchain/modules.ts";

const root = join(import.meta.dirname, "../..");

interface Settings {
  "hearth:cluster": Record<string, unknown>;
  "hearth:images": Record<string, unknown>;
  "hearth:nodes": Record<string, Record<string, unknown>>;
  "hearth:cloudflare": Record<string, unknown[]>;
}

/** What is changed of each environment, and how it shows. */
const environments = {
  dev: { octet: 60, worker: "den-dev-wk02", domain: "dev.example.com", joins: "den-dev-wk03" },
  prod: { octet: 61, worker: "den-prod-cp03", domain: "example.com", joins: "den-prod-wk01" },
} as const;

const stacks = ["dev", "prod"] as const;
const established = '{.status.conditions[?(@.type=="Established")].status}';

describe("dev and prod beside each other", () => {
  let checkout: LabCheckout;

  /** Runs a command that has to succeed. */
  const lab = async (...args: string[]): Promise<string> => {
    const { exitCode, all } = await checkout.lab(...args);
    expect(exitCode, all).to.equal(0);
    return all;
  };

  const shell = async (stack: Stack, command: string): Promise<string> => {
    const { exitCode, all, stdout } = await checkout.shell(command, stack);
    expect(exitCode, String(all)).to.equal(0);
    return String(stdout);
  };

  const kubectl = (stack: Stack, args: string): Promise<string> => shell(stack, `kubectl ${args}`);

  const apply = async (stack: Stack, flags: string, object: object): Promise<void> => {
    const file = checkout.file(".lab", stack, "applied.json");
    await writeFile(file, JSON.stringify(object));
    await kubectl(stack, `apply ${flags} --filename ${file}`);
  };

  const outside = (stack: Stack): Outside => new Outside(checkout, stack);

  const tree = async (stack: Stack): Promise<Process[]> => processTree(await checkout.supervisor(stack));

  /** The simulators, etcd and the API servers: a controller that loses its lease on a loaded machine starts again by itself. */
  const pids = async (stack: Stack): Promise<number[]> =>
    (await tree(stack))
      .filter(({ command }) => /\/(hearth-lab|etcd|kube-apiserver)\b/.test(command))
      .map(({ pid }) => pid);

  const configure = (stack: Stack, change: (settings: Settings) => void): Promise<void> =>
    checkout.edit(`Pulumi.${stack}.yaml`, (text) => {
      const file = parse(text) as { config: Settings };
      change(file.config);
      return stringify(file, { lineWidth: 0 });
    });

  /** The changes that an `up` says it makes, and makes. */
  const up = async (stack: Stack): Promise<string[]> => {
    const output = await lab("up", stack);
    return changesIn(/^Preview: (.*(?:\n {2}\S.*)*)/m.exec(output)?.[1] ?? "no preview");
  };

  const labelled = (stack: Stack): Promise<void> =>
    configure(stack, ({ "hearth:nodes": { [environments[stack].worker]: node = {} } }) => {
      node.labels = { "hearth.dev/shelf": "upper" };
    });

  const hasLabel = (stack: Stack): Promise<unknown> =>
    eventually("the node has its label", async () =>
      (await kubectl(stack, "get nodes --selector hearth.dev/shelf=upper --output name")).includes(
        `node/${environments[stack].worker}`,
      ),
    );

  const patched = (stack: Stack): Promise<void> =>
    configure(stack, ({ "hearth:nodes": { [environments[stack].worker]: node = {} } }) => {
      node.patches = [{ machine: { sysctls: { "vm.max_map_count": "262144" } } }];
    });

  const hasPatch = async (stack: Stack): Promise<void> => {
    const address = { dev: "127.60.0.22", prod: "127.61.0.13" }[stack];
    expect(await shell(stack, `talosctl get machineconfig --nodes ${address} --output yaml`)).to.match(
      /vm\.max_map_count: "262144"/,
    );
  };

  const rule = (stack: Stack) => ({
    hostname: `second.${environments[stack].domain}`,
    service: "http://second.apps.svc.cluster.local:80",
  });

  const withRule = (stack: Stack): Promise<void> =>
    configure(stack, ({ "hearth:cloudflare": { ingress = [] } }) => ingress.push(rule(stack)));

  const ruleChanges = (stack: Stack): string[] => [
    `create DnsRecord ${rule(stack).hostname}`,
    `update ZeroTrustTunnelCloudflaredConfig den-${stack}`,
  ];

  const hasRule = async (stack: Stack): Promise<void> => {
    expect(await outside(stack).rules()).to.deep.include(rule(stack));
    expect((await outside(stack).records()).map(({ name }) => name)).to.include(rule(stack).hostname);
  };

  const withRecord = (stack: Stack): Promise<void> =>
    configure(stack, ({ "hearth:cloudflare": cloudflare }) => {
      const name = `nas.${environments[stack].domain}`;
      cloudflare.records = [{ name, type: "A", content: "192.0.2.10", proxied: true }];
    });

  const hasRecord = async (stack: Stack): Promise<void> => {
    const records = await outside(stack).records();
    expect(records.find(({ name }) => name === `nas.${environments[stack].domain}`)?.content).to.equal("192.0.2.10");
  };

  const withWorker = (stack: Stack): Promise<void> =>
    configure(stack, ({ "hearth:nodes": nodes }) => {
      const { worker, joins, octet } = environments[stack];
      const { labels, patches, ...like } = nodes[worker] ?? {};
      expect([labels, patches]).not.to.include(undefined);
      nodes[joins] = {
        ...like,
        ...{ role: "worker", address: `10.${octet.toString()}.0.29`, mac: `BC:24:11:${octet.toString()}:00:29` },
        ...(stack === "dev" && { proxmox: { host: "pve1", vmId: 2029, cores: 4, memory: 8192, disk: 80 } }),
      };
    });

  const hasWorker = async (stack: Stack): Promise<void> => {
    expect(await kubectl(stack, "get nodes --no-headers")).to.match(
      new RegExp(`^${environments[stack].joins} +Ready`, "m"),
    );
  };

  before(async () => {
    checkout = await LabCheckout.create(environments.dev.octet, environments.prod.octet);
  });

  after(() => checkout.remove());

  it("come up one after the other, and the second leaves the first alone", async () => {
    expect(await lab("up", "dev")).to.match(/3 of 3 Ready: den-dev-cp01, den-dev-wk01, den-dev-wk02/);
    const before = await pids("dev");
    expect(await lab("up", "prod")).to.match(/3 of 3 Ready: den-prod-cp01, den-prod-cp02, den-prod-cp03/);
    expect(await pids("dev")).to.include.members(before);
    expect((await outside("dev").records()).every(({ name }) => name.endsWith("dev.example.com"))).to.equal(true);
    expect((await outside("prod").records()).map(({ name }) => name)).to.deep.equal(["welcome.example.com"]);
  });

  for (const stack of stacks) {
    it(`preview ${stack} as unchanged`, async () => {
      expect(await lab("preview", stack)).to.match(/^no changes/m);
    });
  }

  it("announce load balancers by L2 in dev and by BGP in prod", async () => {
    const announcements = "ciliuml2announcementpolicies,ciliumbgpclusterconfigs,ciliumloadbalancerippools";
    const found = async (stack: Stack) => {
      const { items } = JSON.parse(await kubectl(stack, `get ${announcements} --output json`)) as {
        items: { kind: string; spec: Record<string, unknown> }[];
      };
      return Object.fromEntries(items.map(({ kind, spec }) => [kind, spec]));
    };
    const dev = await found("dev");
    expect(dev).to.have.all.keys("CiliumLoadBalancerIPPool", "CiliumL2AnnouncementPolicy");
    expect(dev.CiliumLoadBalancerIPPool?.blocks).to.deep.equal([{ cidr: "127.60.0.192/26" }]);
    const prod = await found("prod");
    expect(prod).to.have.all.keys("CiliumLoadBalancerIPPool", "CiliumBGPClusterConfig");
    expect(prod.CiliumBGPClusterConfig).to.have.nested.property("bgpInstances[0].localASN", 64513);
    expect(prod.CiliumBGPClusterConfig).to.have.nested.property("bgpInstances[0].peers[0].peerAddress", "127.61.0.1");
  });

  it("tell Flux of a push through the tunnel, and Flux fetches it at once", async () => {
    const token = Buffer.from(
      await kubectl("dev", "get secret webhook-token --namespace flux-system --output jsonpath={.data.token}"),
      "base64",
    ).toString();
    const deliver = connector(await outside("dev").rules(), await tree("dev"));
    const push = (path: string, key: string): Promise<number> => {
      const body = JSON.stringify({ ref: "refs/heads/main" });
      const signature = `sha256=${createHmac("sha256", key).update(body).digest("hex")}`;
      const headers = { "content-type": "application/json", "x-signature": signature };
      return deliver({ hostname: "flux-dev.example.com", path, method: "POST", headers, body });
    };
    const repository = async () =>
      JSON.parse(await kubectl("dev", "get gitrepository flux-system --namespace flux-system --output json")) as {
        status: { artifact: { revision: string }; lastHandledReconcileAt?: string };
      };
    const { status: before } = await repository();
    await checkout.edit("README.md", (text) => `${text}\nPushed.\n`);
    const commit = await checkout.commit("Push");
    expect(await push("/elsewhere", token), "beside the Receiver's path").to.equal(404);
    expect(await push(receiverPath(token), "another key"), "with another signature").to.equal(400);
    expect(await push(receiverPath(token), token)).to.equal(200);
    const { status: after } = await eventually("Flux fetches the commit", async () => {
      const now = await repository();
      return now.status.artifact.revision.endsWith(commit) && now;
    });
    // Set by what was told, never by the interval.
    expect(after.lastHandledReconcileAt).not.to.equal(before.lastHandledReconcileAt);
  });

  it("would be Argo CD's as well: every application is one by its own definitions, with no field too many", async () => {
    const definitions = join(
      await moduleFolder(join(root, "toolchain", "argocd"), "github.com/argoproj/argo-cd/v3"),
      "manifests/crds",
    );
    await kubectl("dev", `apply --server-side --filename ${join(definitions, "application-crd.yaml")}`);
    // kubectl's own wait stumbles over a definition that has no conditions yet.
    const status = `get crd/applications.argoproj.io --output jsonpath='${established}'`;
    await eventually("the API server serves Applications", async () => (await kubectl("dev", status)) === "True");
    await kubectl("dev", "create namespace argocd");
    const [first, values] = await firstApplication();
    await apply("dev", "--validate=strict --dry-run=server", first);
    // Helm, as Argo CD would, renders the chart at the commit that the cluster is at.
    await apply("dev", "--validate=strict", {
      apiVersion: "helm.toolkit.fluxcd.io/v2",
      kind: "HelmRelease",
      metadata: { name: "argocd-apps", namespace: "flux-system" },
      spec: {
        interval: "1h",
        targetNamespace: "argocd",
        releaseName: "apps",
        storageNamespace: "argocd",
        chart: {
          spec: {
            chart: "gitops/argocd",
            reconcileStrategy: "Revision",
            sourceRef: { kind: "GitRepository", name: "flux-system" },
          },
        },
        values,
      },
    });
    await kubectl("dev", "wait helmrelease/argocd-apps --namespace flux-system --for=condition=Ready --timeout=60s");
    const record = "get secret sh.helm.release.v1.apps.v1 --namespace argocd --output jsonpath={.data.release}";
    const stored = Buffer.from(Buffer.from(await kubectl("dev", record), "base64").toString(), "base64");
    const { manifest } = JSON.parse(gunzipSync(stored).toString()) as { manifest: string };
    const rendered = parseAllDocuments(manifest).flatMap((document) => (document.toJS() as object | null) ?? []);
    expect(rendered).to.have.lengthOf.at.least(4);
    for (const application of rendered) await apply("dev", "--validate=strict --dry-run=server", application);
    const kept = JSON.parse(await kubectl("dev", "get applications --namespace argocd --output json")) as {
      items: { spec: { source: object } }[];
    };
    expect(kept.items).to.have.lengthOf(rendered.length);
    await kubectl("dev", "delete helmrelease/argocd-apps --namespace flux-system");
  });

  it("change a label of dev, and nothing else", async () => {
    await labelled("dev");
    expect(await up("dev")).to.deep.equal(["update ConfigurationApply den-dev-wk02"]);
    await hasLabel("dev");
  });

  it("change a machine of dev by a patch, and nothing else", async () => {
    await patched("dev");
    expect(await up("dev")).to.deep.equal(["update ConfigurationApply den-dev-wk02"]);
    await hasPatch("dev");
  });

  it("add an ingress rule to dev, and nothing else", async () => {
    await withRule("dev");
    expect(await up("dev")).to.have.members(ruleChanges("dev"));
    await hasRule("dev");
  });

  it("add a record to dev, and nothing else", async () => {
    await withRecord("dev");
    expect((await up("dev")).map(withoutDigest)).to.deep.equal(["create DnsRecord nas.dev.example.com/A/"]);
    await hasRecord("dev");
  });

  it("add a worker to dev, and nothing else", async () => {
    await withWorker("dev");
    expect(await up("dev")).to.have.members(["create VmLegacy den-dev-wk03", "create ConfigurationApply den-dev-wk03"]);
    await hasWorker("dev");
  });

  it("change all of that in prod at once, and nothing else", async () => {
    for (const change of [labelled, patched, withRule, withRecord, withWorker]) await change("prod");
    expect((await up("prod")).map(withoutDigest)).to.have.members([
      "update ConfigurationApply den-prod-cp03",
      ...ruleChanges("prod"),
      "create DnsRecord nas.example.com/A/",
      "create ConfigurationApply den-prod-wk01",
    ]);
    for (const shows of [hasLabel, hasPatch, hasRule, hasRecord, hasWorker]) await shows("prod");
  });

  it("keep a record of their own that they are told to take over", async () => {
    const nas = async () => (await outside("dev").records()).find(({ name }) => name === "nas.dev.example.com");
    const before = await nas();
    await configure("dev", ({ "hearth:cloudflare": cloudflare }) => {
      Object.assign(cloudflare.records?.[0] ?? {}, { adopt: before?.id });
    });
    expect(await lab("up", "dev")).to.contain("Preview: no changes");
    expect(await nas()).to.deep.equal(before);
  });

  it("preview themselves as unchanged with everything out of reach", async () => {
    for (const stack of stacks) {
      await lab("down", stack);
      expect(await shell(stack, "pulumi preview --expect-no-changes --non-interactive 2>&1")).to.match(/\d+ unchanged/);
    }
  });

  it("show a changed kernel argument of one node alone, with everything out of reach, by node and field", async () => {
    await configure("dev", ({ "hearth:images": images, "hearth:nodes": { "den-dev-wk02": node = {} } }) => {
      images.tuned = { ...(images.standard as object), kernelArguments: ["mitigations=off"] };
      node.image = "tuned";
    });
    const json = await shell("dev", "pulumi preview --json --non-interactive 2>/dev/null");
    const { steps } = JSON.parse(json) as { steps: { op: string; urn: string }[] };
    const changed = steps.filter(({ op }) => op !== "same" && op !== "read");
    const names = changed.map(({ op, urn }) => `${op} ${urn.split("::").at(-1) ?? ""}`);
    expect(names).to.have.lengthOf(3).and.to.include("update den-dev-wk02");
    expect(names.join("\n")).to.match(/^create tuned-[0-9a-f]{12}$/m);
    expect(names.join("\n")).to.match(/^create talos-pve1-local-v[\d.]+-[0-9a-f]{12}$/m);
    const text = await shell("dev", "pulumi preview --diff --non-interactive 2>&1");
    expect(text).to.match(/talos:machine\/configurationApply:ConfigurationApply: \(update\)[^]*::den-dev-wk02\]/);
    expect(text).to.match(/^\s*~\s*image: "factory\.talos\.dev\S+" => "factory\.talos\.dev/m);
    await configure("dev", ({ "hearth:images": images, "hearth:nodes": { "den-dev-wk02": node = {} } }) => {
      Reflect.deleteProperty(images, "tuned");
      node.image = "standard";
    });
  });

  it("destroy dev though its API server is gone, and leave prod alone", async () => {
    await lab("up", "prod");
    const before = await pids("prod");
    expect(before).to.have.length.greaterThan(9);
    await lab("up", "dev");
    await outside("dev").unplug("den-dev-cp01");
    const { exitCode } = await checkout.shell("kubectl get nodes --request-timeout 2s");
    expect(exitCode).not.to.equal(0);
    expect(await lab("destroy", "dev")).to.contain("The simulators hold nothing");
    expect(await pids("prod")).to.include.members(before);
    expect(await lab("preview", "prod")).to.match(/^no changes/m);
  });

  it("refuse an age key that does not open the tree, before Flux, and name the file", async () => {
    // Its record is gone with everything else, and cannot be taken over any more.
    await configure("dev", ({ "hearth:cloudflare": { records = [] } }) => {
      for (const record of records) Reflect.deleteProperty(record as object, "adopt");
    });
    const wrong = Buffer.alloc(32, 7).toString("base64");
    const pulumi = checkout.file(".lab/dev/bin/pulumi");
    const options = { cwd: checkout.path, input: wrong };
    await execa(pulumi, ["config", "set", "--secret", "hearth:ageSeed"], options);
    const { exitCode, all } = await checkout.lab("up", "dev");
    expect(exitCode, all).not.to.equal(0);
    expect(all).to.match(/gitops\/\S+\.sops\.yaml/);
    expect(all).not.to.match(/^ +at .*:\d+:\d+/m);
    expect(all).not.to.contain(wrong);
    const state = readFileSync(checkout.file(".lab/dev/pulumi/.pulumi/stacks/hearth/dev.json"), "utf8");
    expect(state).not.to.contain("FluxInstance");
    await lab("destroy", "dev");
  });

  it("destroy prod, whose machines wait for another configuration then", async () => {
    expect(await lab("destroy", "prod")).to.contain("The simulators hold nothing");
    await eventually(
      "a machine is in maintenance mode",
      async () => {
        await sleep(500);
        const { exitCode } = await execa(
          await tool("talosctl"),
          ["get", "disks", "--insecure", "--nodes", "127.61.0.11"],
          { reject: false },
        );
        return exitCode === 0;
      },
      120,
    );
  });
});

/** What the program creates for Argo CD to begin with, and the values in it. */
const firstApplication = async (): Promise<[application: object, values: object]> => {
  const raw = rawConfig("dev");
  Object.assign(raw.gitops as object, { engine: "argocd", flux: undefined });
  Reflect.deleteProperty(raw.cloudflare as object, "webhook");
  const graph = await runStack(parseConfig("dev", raw));
  const [{ inputs } = { inputs: {} }] = graph.ofType("kubernetes:argoproj.io/v1alpha1:Application", { exactly: 1 });
  const { spec } = inputs as { spec: { source: { helm: { valuesObject: object } } } };
  return [inputs, spec.source.helm.valuesObject];
};

/** A change without the digest of its record's content. */
const withoutDigest = (change: string): string => change.replace(/(?<=\/A\/).*/, "");

/** The changes that a preview lists. Lines that end with a time say what the lab is at. */
const changesIn = (preview: string): string[] =>
  preview
    .split("\n")
    .slice(1)
    .filter((line) => !/\(\d[^)]* s\)$/.test(line))
    .map((line) => line.trim());
