import { cpSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { checkCluster, describeFinding } from "../../lib/tree/check.ts";
import { optionsOf, withOptions } from "../../lib/tree/options.ts";

const root = join(import.meta.dirname, "../..");
const stacks = ["dev", "prod"];

/** What a RuntimeClass says of the machines that have its runtime. */
interface Runtime {
  handler: string;
  scheduling: { nodeSelector: Record<string, string>; tolerations: { key: string }[] };
}

/** A stack file whose machines have what the systems need that are off. */
const withWhatSystemsNeed = (text: string): string =>
  text
    .replace("extensions: [", "extensions: [siderolabs/drbd, siderolabs/iscsi-tools, ")
    .replace(
      "  hearth:network:",
      '    patches: { controlPlanes: [{ cluster: { etcd: { extraArgs: { listen-metrics-urls: "http://0.0.0.0:2381" } } } }], ' +
        'all: [{ machine: { files: [{ op: create, path: /etc/cri/conf.d/20-customization.part, content: "discard_unpacked_layers = false" }] } }] }\n$&',
    );

describe("the GitOps tree", function () {
  // The first time, what checks it is built.
  this.timeout(900_000);

  for (const stack of stacks) {
    it(`is what Flux and the API server take, in ${stack}`, async () => {
      const { findings, cluster } = await checkCluster(root, stack);
      expect(findings.map(describeFinding)).to.deep.equal([]);
      expect(cluster.objects).to.have.length.greaterThan(10);
    });
  }

  it("is so too for a stack of both families that encrypts and has a password for its routers", async () => {
    const checkout = await mkdtemp(join(tmpdir(), "hearth-scratch-"));
    try {
      const example = "examples/dual-stack-with-bgp/Pulumi.prod.yaml";
      for (const [from, to] of [
        [example, "Pulumi.prod.yaml"],
        [".sops.yaml", ".sops.yaml"],
        ["gitops", "gitops"],
      ] as const)
        cpSync(join(root, from), join(checkout, to), { recursive: true });
      const { findings, cluster } = await checkCluster(checkout, "prod");
      expect(findings.map(describeFinding)).to.deep.equal([]);
      const specOf = (kind: string) => cluster.objects.find(({ object }) => object.kind === kind)?.object.spec;
      expect(specOf("CiliumLoadBalancerIPPool")).to.have.deep.property("blocks", [
        { cidr: "10.31.0.0/24" },
        { cidr: "fd00:10:31::/112" },
      ]);
      expect(specOf("CiliumBGPPeerConfig")).to.have.property("authSecretRef", "bgp-password");
    } finally {
      await rm(checkout, { recursive: true, force: true });
    }
  });

  it("is so too for a stack without Cloudflare, whose names and authority only the LAN knows", async () => {
    const checkout = await mkdtemp(join(tmpdir(), "hearth-scratch-"));
    try {
      cpSync(join(root, "examples/lan-only/Pulumi.prod.yaml"), join(checkout, "Pulumi.prod.yaml"));
      for (const file of [".sops.yaml", "gitops"]) cpSync(join(root, file), join(checkout, file), { recursive: true });
      const edit = async (file: string, change: (text: string) => string) => {
        const path = join(checkout, "gitops/clusters/prod", file);
        const text = await readFile(path, "utf8");
        expect(change(text)).not.to.equal(text);
        await writeFile(path, change(text));
      };
      // As docs/guides/routes.md says.
      for (const gone of ["flux/webhook", "edge/cloudflared", "edge/external-dns", "security/letsencrypt"])
        await edit("kustomization.yaml", (text) =>
          text.replace(`- ../../infrastructure/${gone}`, `# - ../../infrastructure/${gone}`),
        );
      await edit("kustomization.yaml", (text) =>
        text.replace("# - ../../infrastructure/security/internal", "- ../../infrastructure/security/internal"),
      );
      await edit("environment.yaml", (text) =>
        text.replace("cluster_issuer: letsencrypt-production", "cluster_issuer: internal"),
      );
      const trusting = (await checkCluster(checkout, "prod")).findings.map(({ message }) => message);
      expect(trusting.filter((message) => message.endsWith("which it does not trust"))).to.have.length(4);
      await edit("kustomization.yaml", (text) =>
        text.replace("# - ../shared/internal-authority", "- ../shared/internal-authority"),
      );
      const { findings, cluster } = await checkCluster(checkout, "prod");
      expect(findings.map(describeFinding)).to.deep.equal([]);
      const objectOf = (kind: string, name: string) =>
        cluster.objects.find(({ object }) => object.kind === kind && object.metadata.name === name)?.object;
      expect(objectOf("Certificate", "internal-authority")).to.have.deep.nested.property(
        "spec.nameConstraints.permitted.dnsDomains",
        ["home.arpa"],
      );
      for (const gateway of ["internal", "external"])
        expect(objectOf("Gateway", gateway)?.metadata.annotations).to.include({
          "cert-manager.io/cluster-issuer": "internal",
        });
    } finally {
      await rm(checkout, { recursive: true, force: true });
    }
  });

  it("gives pods the card of the example with a GPU", async () => {
    const checkout = await mkdtemp(join(tmpdir(), "hearth-scratch-"));
    try {
      cpSync(join(root, "examples/gpus/Pulumi.prod.yaml"), join(checkout, "Pulumi.prod.yaml"));
      for (const file of [".sops.yaml", "gitops"]) cpSync(join(root, file), join(checkout, file), { recursive: true });
      const list = join(checkout, "gitops/clusters/prod/kustomization.yaml");
      await writeFile(list, (await readFile(list, "utf8")).replace(/# (?=- \S*compute\/nvidia)/, ""));
      const { findings, cluster } = await checkCluster(checkout, "prod");
      expect(findings.map(describeFinding)).to.deep.equal([]);
      const [runtime] = cluster.objects.filter(({ object }) => object.kind === "RuntimeClass");
      const { handler, scheduling } = runtime?.object as unknown as Runtime;
      const release = cluster.objects.find(
        ({ object: { kind, metadata } }) => kind === "HelmRelease" && metadata.name === "nvidia-device-plugin",
      );
      expect(release?.object).to.have.nested.property("spec.values.runtimeClassName", runtime?.object.metadata.name);
      expect(handler).to.equal("nvidia");
      const cards = Object.values(cluster.config.nodes).filter(
        ({ labels }) => labels["nvidia.com/gpu.present"] === scheduling.nodeSelector["nvidia.com/gpu.present"],
      );
      expect(cards.map(({ taints }) => Object.keys(taints))).to.deep.equal([
        scheduling.tolerations.map(({ key }) => key),
      ]);
    } finally {
      await rm(checkout, { recursive: true, force: true });
    }
  });

  describe("with everything turned on that a cluster may have", () => {
    let checkout: string;

    before(async () => {
      checkout = await mkdtemp(join(tmpdir(), "hearth-scratch-"));
      const files = [...stacks.map((stack) => `Pulumi.${stack}.yaml`), ".sops.yaml", "gitops"];
      for (const file of files) cpSync(join(root, file), join(checkout, file), { recursive: true });
      for (const stack of stacks) {
        const file = join(checkout, "gitops/clusters", stack, "kustomization.yaml");
        const text = await readFile(file, "utf8");
        expect(text).to.match(/^ {2}# - .*kubevirt/m);
        await writeFile(file, withOptions(text, optionsOf(text)));
        const stackFile = join(checkout, `Pulumi.${stack}.yaml`);
        await writeFile(stackFile, withWhatSystemsNeed(await readFile(stackFile, "utf8")));
      }
    });

    after(() => rm(checkout, { recursive: true, force: true }));

    for (const stack of stacks) {
      it(`is so too in ${stack}, but for KubeVirt, whose manifests are on its release's page only`, async () => {
        const { findings, cluster, withoutSchema } = await checkCluster(checkout, stack);
        const others = findings.filter(({ file }) => !file.startsWith("gitops/infrastructure/compute/kubevirt/"));
        expect(others.map(describeFinding)).to.deep.equal([]);
        expect(cluster.objects.map(({ file }) => file).join("\n"))
          .to.contain("/traefik/")
          .and.to.contain("/linstor/")
          .and.to.contain("/truenas/")
          .and.to.contain("/nvidia/")
          .and.to.contain("/crossplane/");
        // As the README says.
        expect(withoutSchema).to.deep.equal(["kubevirt.io/v1/KubeVirt"]);
      });
    }
  });
});
