import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { parse } from "yaml";

import { parseConfig, type HearthConfig } from "../../../infra/config/index.ts";
import { registerRepository } from "../../../infra/gitops.ts";
import { expectSound, leaks } from "../../support/sound.ts";
import { knownSecrets, rawConfig, runStack } from "../../support/stack.ts";

type Raw = Record<string, Record<string, unknown>>;

/** Dev, changed. */
const dev = (change: (raw: Raw) => void = () => undefined): HearthConfig => {
  const raw = rawConfig("dev") as Raw;
  change(raw);
  return parseConfig("dev", raw);
};

const settings = "kubernetes:core/v1:ConfigMap";
const secretType = "kubernetes:core/v1:Secret";

const namespaceOf = ({ metadata }: Record<string, unknown>): unknown => (metadata as { namespace?: unknown }).namespace;

describe("the hand-off", () => {
  it("tells the tree what it may know of the cluster", async () => {
    const { recipients } = dev().escrow ?? { recipients: [] };
    const [facts] = (await runStack()).ofType(settings, { exactly: 1 });
    expect(facts?.inputs.data).to.deep.equal({
      cluster_folder: "gitops/clusters/dev",
      cluster_name: "den-dev",
      cluster_endpoint: "https://10.20.0.10:6443",
      cluster_vip: "10.20.0.10",
      pod_cidr: "10.244.0.0/16",
      service_cidr: "10.96.0.0/12",
      kubelet_insecure_tls: "true",
      node_subnets: '["10.20.0.0/24"]',
      load_balancer_cidr: "10.20.0.192/26",
      load_balancer_blocks: '[{"cidr":"10.20.0.192/26"}]',
      load_balancer_announcement: "l2",
      l2_interfaces: "[]",
      cilium_ipv6: '{"enabled":false}',
      cilium_encryption: '{"enabled":false}',
      cilium_load_balancer: "{}",
      cilium_tunnel_protocol: "vxlan",
      dns_address: "10.20.0.193",
      internal_gateway_address: "10.20.0.194",
      external_gateway_address: "10.20.0.195",
      txt_owner_id: "hearth-den-dev",
      webhook_type: "github",
      repository_page: "https://github.com/you/hearth",
      flux_version: "2.9.4",
      domain: "example.com",
      empty_until: "2027-01-31",
      escrow_recipients: `"${recipients.join("\\n")}\\n"`,
      tunnel_id: "den-dev-id",
      external_target: "den-dev-id.cfargotunnel.com",
    });
  });

  it("tells it who opens backups, a line each, in a form that YAML takes as one value", async () => {
    const { recipients } = dev().escrow ?? { recipients: [] };
    const [facts] = (await runStack()).ofType(settings, { exactly: 1 });
    const { escrow_recipients: told } = facts?.inputs.data as Record<string, string>;
    expect(parse(`recipients.txt: ${told ?? ""}`)).to.deep.equal({
      "recipients.txt": recipients.map((each) => `${each}\n`).join(""),
    });
  });

  it("tells it the cluster's routers where addresses are announced by BGP", async () => {
    const peers = [{ name: "router", address: "10.20.0.1", asn: 64512 }];
    const graph = await runStack(
      dev(({ network = {} }) => {
        network.loadBalancers = "10.29.0.0/24";
        network.announce = { mode: "bgp", asn: 64513, peers };
      }),
    );
    const [facts] = graph.ofType(settings, { exactly: 1 });
    const { bgp_asn: asn, bgp_peers: told } = facts?.inputs.data as Record<string, string>;
    expect(asn).to.equal("64513");
    expect(parse(told ?? "")).to.deep.equal([
      { name: "router", peerAddress: "10.20.0.1", peerASN: 64512, peerConfigRef: { name: "load-balancers" } },
    ]);
  });

  it("announces on the nodes' own links alone where they have further networks and a name for those links", async () => {
    const interfacesOf = async (bond: boolean) => {
      const graph = await runStack(
        dev(({ network = {}, nodes = {}, proxmox = {} }) => {
          network.networks = { storage: { subnet: "10.50.0.0/24" } };
          proxmox.networks = { storage: { bridge: "vmbr1" } };
          for (const node of Object.values(nodes) as Raw[string][]) if (bond) node.bond = { mode: "active-backup" };
          const worker = nodes["den-dev-wk01"] as Raw[string];
          worker.links = { storage: { mac: "BC:24:11:50:00:21", address: "10.50.0.21" } };
        }),
      );
      const [facts] = graph.ofType(settings, { exactly: 1 });
      return (facts?.inputs.data as Record<string, string>).l2_interfaces;
    };
    expect(await interfacesOf(true)).to.equal('["^bond0$"]');
    expect(await interfacesOf(false)).to.equal("[]");
  });

  it("creates the key of IPsec and the routers' password before Cilium, and shows neither", async () => {
    const password = "bgp-password-of-the-routers";
    const graph = await runStack(
      dev(({ network = {} }) => {
        network.encryption = { type: "ipsec" };
        network.loadBalancers = "10.29.0.0/24";
        const peers = [{ name: "router", address: "10.20.0.1", asn: 64512 }];
        network.announce = { mode: "bgp", asn: 64513, peers, authentication: "password" };
      }),
      { secrets: { bgpPassword: pulumi.secret(password) } },
    );
    const created = graph.ofType(secretType).filter(({ inputs }) => namespaceOf(inputs) === "kube-system");
    expect(created.map(({ name }) => name)).to.have.members(["cilium-ipsec-keys", "bgp-password"]);
    const cilium = graph.ofType("kubernetes:helm.sh/v3:Release").find(({ name }) => name === "cilium");
    expect(cilium?.dependsOn).to.include.members(created.map(({ urn }) => urn));
    expect(created.find(({ name }) => name === "bgp-password")?.inputs.stringData).to.deep.equal({ password });
    expect(leaks(graph, [password])).to.deep.equal([]);
    expectSound(graph);
  });

  it("leaves what lives in the cluster to go with it", async () => {
    const graph = await runStack();
    const [cluster] = graph.urnsOf("hearth:talos:TalosCluster");
    for (const type of ["hearth:network:Cilium", "hearth:gitops:Flux"]) {
      expect(graph.ofType(type, { exactly: 1 })[0]?.deletedWith, type).to.equal(cluster);
    }
  });

  it("creates Argo CD where the stack says so, and nothing of Flux", async () => {
    const graph = await runStack(
      dev(({ gitops = {} }) => {
        gitops.engine = "argocd";
      }),
    );
    expectSound(graph);
    graph.ofType("kubernetes:argoproj.io/v1alpha1:Application", { exactly: 1 });
    graph.ofType("kubernetes:fluxcd.controlplane.io/v1:FluxInstance", { exactly: 0 });
    const releases = graph.ofType("kubernetes:helm.sh/v3:Release", { exactly: 2 });
    expect(releases.map(({ name }) => name)).to.have.members(["cilium", "argo-cd"]);
  });

  it("creates the token where the repository is read over HTTPS", async () => {
    const config = dev(({ gitops = {} }) => {
      gitops.repository = "https://git.example.com/you/hearth.git";
      delete gitops.knownHosts;
    });
    const graph = await runStack(config, { secrets: { gitToken: pulumi.secret("git-token") } });
    const credential = graph.ofType(secretType).find(({ name }) => name === "flux-system");
    expect(credential?.inputs.stringData).to.deep.equal({ username: "git", password: "git-token" });
    expect(leaks(graph, ["git-token"])).to.deep.equal([]);
  });
});

describe("the edge", () => {
  it("leads a push to Flux, before all other rules", async () => {
    const graph = await runStack();
    const [routes] = graph.ofType(
      "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig",
      { exactly: 1 },
    );
    expect(routes?.inputs).to.deep.nested.include({
      "config.ingresses[0]": {
        hostname: "flux-dev.example.com",
        path: "^/hook/[0-9a-f]{64}$",
        service: "http://webhook-receiver.flux-system.svc.cluster.local:80",
      },
    });
  });

  it("has records and no tunnel where the stack wants none", async () => {
    const graph = await runStack(
      dev(({ cloudflare = {} }) => {
        cloudflare.tunnel = false;
        delete cloudflare.webhook;
        cloudflare.ingress = [];
        cloudflare.records = [{ name: "@", type: "TXT", content: "hello" }];
      }),
    );
    expectSound(graph);
    graph.ofType("hearth:cloudflare:Tunnel", { exactly: 0 });
    graph.ofType("cloudflare:index/dnsRecord:DnsRecord", { exactly: 1 });
    const [facts] = graph.ofType(settings, { exactly: 1 });
    expect(facts?.inputs.data).to.not.have.any.keys("tunnel_id", "external_target");
  });

  it("leads to a service without a public record where a rule says so", async () => {
    const graph = await runStack(
      dev(({ cloudflare = {} }) => {
        delete cloudflare.webhook;
        cloudflare.ingress = [
          { hostname: "private.example.com", service: "http://private", publicRecord: false },
          { hostname: "public.example.com", service: "http://public" },
        ];
      }),
    );
    const records = graph.ofType("cloudflare:index/dnsRecord:DnsRecord", { exactly: 1 });
    expect(records.map(({ name }) => name)).to.deep.equal(["public.example.com"]);
    const [routes] = graph.ofType(
      "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig",
      { exactly: 1 },
    );
    expect(JSON.stringify(routes?.inputs)).to.contain("private.example.com");
  });

  it("is not needed for the tree to know a domain", async () => {
    const graph = await runStack(
      dev((raw) => {
        delete raw.cloudflare;
        raw.network = { ...raw.network, domain: "home.arpa" };
      }),
    );
    expect(graph.ofType(settings, { exactly: 1 })[0]?.inputs.data).to.have.property("domain", "home.arpa");
  });

  it("has several tunnels, each with its rules, its own secret and its facts", async () => {
    const graph = await runStack(
      dev(({ cloudflare = {} }) => {
        cloudflare.tunnels = { "den-nas": { ingress: [{ hostname: "nas.example.com", service: "http://nas" }] } };
        cloudflare.records = [{ name: "@", type: "TXT", content: "hello" }];
      }),
    );
    expectSound(graph);
    graph.ofType("cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared", { exactly: 2 });
    graph.ofType("cloudflare:index/dnsRecord:DnsRecord", { exactly: 4 });
    const seeds = graph.ofType("random:index/randomPassword:RandomPassword").map(({ name }) => name);
    expect(seeds).to.include.members(["tunnel-secret", "tunnel-secret-den-nas"]);
    const [facts] = graph.ofType(settings, { exactly: 1 });
    expect(facts?.inputs.data).to.include({ tunnel_id: "den-dev-id", tunnel_id_den_nas: "den-nas-id" });
    const tokens = graph.ofType(secretType).find(({ name }) => name === "cluster-secrets");
    expect(tokens?.inputs.stringData).to.have.keys("tunnel_token", "tunnel_token_den_nas", "snapshot_signing_key");
  });
});

describe("the repository on GitHub", () => {
  const withToken = { secrets: { githubToken: pulumi.secret("github-token") } };

  it("is left alone without a token for it", async () => {
    expect((await runStack()).resources.filter(({ type }) => type.includes("github"))).to.deep.equal([]);
  });

  it("learns of the deploy key and of the webhook, with a token", async () => {
    const graph = await runStack(dev(), withToken);
    expectSound(graph);
    graph.ofType("github:index/repositoryDeployKey:RepositoryDeployKey", { exactly: 1 });
    const [webhook] = graph.ofType("github:index/repositoryWebhook:RepositoryWebhook", { exactly: 1 });
    const { url } = webhook?.inputs.configuration as { url: string };
    expect(url).to.match(/^https:\/\/flux-dev\.example\.com\/hook\/[0-9a-f]{64}$/);
    expect(leaks(graph, ["github-token", url, knownSecrets.password])).to.deep.equal([]);
  });

  it("learns of no webhook where there is none", async () => {
    const graph = await runStack(
      dev(({ cloudflare = {} }) => {
        delete cloudflare.webhook;
      }),
      withToken,
    );
    graph.ofType("github:index/repositoryWebhook:RepositoryWebhook", { exactly: 0 });
  });

  it("is refused a token where the repository is elsewhere", () => {
    const config = dev(({ gitops = {} }) => {
      gitops.repository = "https://git.example.com/you/hearth.git";
    });
    const register = () => registerRepository(config, { githubToken: pulumi.secret("github-token") }, {} as never);
    expect(register).to.throw(
      "hearth:githubToken is set, and gitops.repository is at git.example.com, not at github.com",
    );
  });
});
