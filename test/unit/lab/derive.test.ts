import { expect } from "chai";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseConfig } from "../../../infra/config/index.ts";
import { examineStackFile } from "../../../infra/config/stack-file.ts";
import type { Machine } from "../../../lab/lab-config.ts";
import { deriveLab, deriveStack, serviceAddresses, toLoopback, type StackConfig } from "../../../lab/derive.ts";
import { examples } from "../../support/examples.ts";

const recipient = "age1kgk8mrt0pt63cnt6qjj2up7wlm5ec5ss2su6jaf96l52xzdt9dqsagwzxe";
const knownHosts =
  "[127.20.255.5]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

const facts = { stack: "dev", knownHosts, recipient };

/** The committed configuration of dev, with changes. */
const committed = (change: (config: StackConfig) => void = () => undefined): StackConfig => {
  const file = join(import.meta.dirname, "../../../Pulumi.dev.yaml");
  const { config } = parse(readFileSync(file, "utf8")) as { config: StackConfig };
  change(config);
  return config;
};

const firstNode = (config: StackConfig): StackConfig["hearth:nodes"][string] => {
  const [node] = Object.values(config["hearth:nodes"]);
  if (node === undefined) throw new Error("the stack has no nodes");
  return node;
};

const inputs = {
  stack: "dev",
  dir: "/checkout/.lab/dev",
  repository: "/checkout",
  programs: {},
  data: {},
  credentials: { proxmoxToken: "hearth@pve!lab=secret", cloudflareToken: "token", passphrase: "words" },
  charts: [],
};

const octet = fc.integer({ min: 0, max: 255 });
const address = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."));

describe("toLoopback", () => {
  it("puts every address into 127.0.0.0/8 and changes nothing else of it", () => {
    fc.assert(
      fc.property(address, (from) => {
        const [, ...rest] = from.split(".");
        expect(toLoopback(from)).to.equal(["127", ...rest].join("."));
      }),
    );
  });

  it("changes nothing that it changed before", () => {
    fc.assert(
      fc.property(fc.string(), address, (text, from) => {
        const once = toLoopback(`${text} https://${from}:6443/24`);
        expect(toLoopback(once)).to.equal(once);
      }),
    );
  });

  it("leaves releases and names alone", () => {
    for (const text of ["v1.13.9", "1.2.3.4.5", "time.cloudflare.com"]) expect(toLoopback(text)).to.equal(text);
  });
});

describe("deriveStack", () => {
  const derived = deriveStack(committed(), facts);

  it("drops the committed secrets, which only the stack's own passphrase opens", () => {
    const config = committed((each) => {
      Object.assign(each, { "hearth:proxmoxToken": { secure: "v1:x" }, "hearth:machinePatches": { secure: "v1:y" } });
    });
    expect(deriveStack(config, facts)).to.deep.equal(derived);
  });

  it("gives a configuration that the program accepts", () => {
    const keys = Object.entries(derived)
      .filter(([key]) => key.startsWith("hearth:"))
      .map(([key, value]) => [key.replace("hearth:", ""), value]);
    expect(() => parseConfig("dev", Object.fromEntries(keys))).to.not.throw();
  });

  for (const { name, read } of examples) {
    it(`gives a configuration of the example ${name} that the program accepts, with machines for it`, () => {
      const { config } = parse(read("prod")) as { config: StackConfig };
      const file = examineStackFile({ settings: deriveStack(config, { ...facts, stack: "prod" }), problems: [] });
      expect(file.problems).to.deep.equal([]);
      const lab = deriveLab(config, { ...inputs, stack: "prod" });
      const nodes = Object.values(file.config?.nodes ?? {});
      expect(lab.metal).to.have.length(nodes.filter(({ platform }) => platform === "metal").length);
      expect(lab.proxmox.nodes.length > 0).to.equal(nodes.some(({ platform }) => platform === "proxmox"));
    });
  }

  it("leaves no address outside 127.0.0.0/8, but for pods and Services", () => {
    const { podCidr, serviceCidr, ...cluster } = derived["hearth:cluster"];
    const rest = JSON.stringify({ ...derived, "hearth:cluster": cluster });
    const addresses = [...rest.matchAll(/(?<![\d.])\d{1,3}(\.\d{1,3}){3}(?![\d.])/g)].map(([found]) => found);
    expect(addresses).to.have.length.greaterThan(5);
    expect(addresses.filter((address) => !address.startsWith("127."))).to.deep.equal([]);
    expect({ podCidr, serviceCidr }).to.deep.equal({
      podCidr: committed()["hearth:cluster"].podCidr,
      serviceCidr: committed()["hearth:cluster"].serviceCidr,
    });
  });

  it("changes nothing else than addresses, the repository, where the escrow is and whose health is asked", () => {
    const untouched = (config: StackConfig): unknown => {
      const gitops = { ...config["hearth:gitops"], repository: "", knownHosts: "" };
      const elsewhere = { "hearth:gitops": gitops, "hearth:cluster": {}, "hearth:escrow": {}, "hearth:rollout": {} };
      return JSON.parse(toLoopback(JSON.stringify({ ...config, ...elsewhere })));
    };
    expect(untouched(derived)).to.deep.equal(untouched(committed()));
  });

  it("asks nobody for a health that no controller of the lab establishes", () => {
    const asks = (apiVersion: string, kind: string) => ({ apiVersion, kind, expression: "object.status.ready" });
    const own = [asks("apps/v1", "StatefulSet"), asks("v1", "Pod"), asks("rook.example.com/v1", "Pool")];
    const config = committed((each) => {
      each["hearth:rollout"] = { timeZone: "Europe/Berlin", health: { expressions: own, timeout: 5 } };
    });
    expect(deriveStack(config, facts)["hearth:rollout"]).to.deep.equal({
      timeZone: "Europe/Berlin",
      health: { expressions: own.slice(0, 2), timeout: 5, skip: ["ceph", "linstor", "cloudnative-pg"] },
    });
    expect(derived["hearth:rollout"]).to.deep.include({ health: { skip: ["ceph", "linstor", "cloudnative-pg"] } });
  });

  it("leaves out the options of a machine that no token may set", () => {
    const config = committed((each) => {
      Object.assign(each["hearth:nodes"]["den-dev-wk01"]?.proxmox ?? {}, { affinity: "0-3", hugepages: "1GiB" });
    });
    expect(deriveStack(config, facts)["hearth:nodes"]).to.deep.equal(derived["hearth:nodes"]);
  });

  it("keeps the escrow and its copies in the lab's folder, for the lab's key as well", () => {
    const other = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    const config = committed((each) => {
      const copies = [{ to: "s3", bucket: "real" }];
      Object.assign(each, { "hearth:escrow": { recipients: [other], kms: "arn:aws:kms:x", copies } });
    });
    expect(deriveStack(config, facts)["hearth:escrow"]).to.deep.equal({
      recipients: [recipient, other],
      path: ".lab/dev/escrow.sops.yaml",
      copies: [{ to: "folder", path: ".lab/dev/copies/0" }],
    });
  });

  it("has the signers of its own escrow, and never the committed ones", () => {
    const config = committed((each) => {
      Object.assign(each["hearth:escrow"] ?? {}, { signers: "committed" });
    });
    expect(deriveStack(config, facts)["hearth:escrow"]).not.to.have.property("signers");
    expect(deriveStack(config, { ...facts, signers: "own" })["hearth:escrow"]).to.have.property("signers", "own");
  });

  it("has its own key where the committed configuration has placeholders", () => {
    expect(derived["hearth:escrow"]?.recipients).to.deep.equal([recipient]);
  });

  it("does not change the committed configuration", () => {
    const config = committed();
    deriveStack(config, facts);
    expect(config).to.deep.equal(committed());
  });

  it("puts the VIP in place of a name in the cluster's endpoint", () => {
    const config = committed((each) => {
      each["hearth:cluster"].endpoint = "https://k8s.example.com:6443";
      each["hearth:cluster"].vip = "10.20.0.10";
    });
    expect(deriveStack(config, facts)["hearth:cluster"].endpoint).to.equal("https://127.20.0.10:6443");
  });

  it("asks for a VIP where the endpoint is a name and there is none", () => {
    const config = committed((each) => {
      each["hearth:cluster"].endpoint = "https://k8s.example.com:6443";
      delete each["hearth:cluster"].vip;
    });
    expect(() => deriveStack(config, facts)).to.throw(/k8s\.example\.com:6443 is a name.*cluster\.vip/);
  });

  it("refuses addresses that would become the same", () => {
    const config = committed((each) => {
      const { address: taken } = firstNode(each);
      const last = Object.values(each["hearth:nodes"]).at(-1);
      if (last !== undefined) last.address = taken.replace(/^\d+/, "192");
    });
    expect(() => deriveStack(config, facts)).to.throw(/differ only in their first octet/);
  });

  it("works for a stack without Proxmox and Cloudflare", () => {
    const config = committed((each) => {
      delete each["hearth:proxmox"];
      delete each["hearth:cloudflare"];
    });
    expect(deriveStack(config, facts)).to.not.have.any.keys("hearth:proxmox", "hearth:cloudflare");
  });
});

describe("serviceAddresses", () => {
  it("keeps the labs of stacks with different subnets apart", () => {
    fc.assert(
      fc.property(octet, octet, octet, octet, (a, b, c, d) => {
        fc.pre(a !== c || b !== d);
        const of = (second: number, third: number): string[] =>
          Object.values(
            serviceAddresses(
              committed((each) => (each["hearth:network"].subnet = `10.${second.toString()}.${third.toString()}.0/24`)),
            ),
          );
        expect(of(a, b)).to.not.have.members(of(c, d));
      }),
      { numRuns: 20 },
    );
  });

  it("needs no privileged port", () => {
    for (const service of Object.values(serviceAddresses(committed()))) {
      expect(Number(service.split(":")[1])).to.be.at.least(1024);
    }
  });
});

describe("deriveLab", () => {
  it("gives Proxmox the address that the derived configuration names, and the credentials of the lab", () => {
    const lab = deriveLab(committed(), inputs);
    expect(deriveStack(committed(), facts)["hearth:proxmox"]?.endpoint).to.equal(`https://${lab.proxmox.address}`);
    expect(lab.proxmox.token).to.equal(inputs.credentials.proxmoxToken);
  });

  it("gives the datastore of boot images the content type that Proxmox imports from", () => {
    const lab = deriveLab(committed(), inputs);
    expect(lab.proxmox.datastores[committed()["hearth:proxmox"]?.imageDatastore ?? ""]).to.include("import");
  });

  it("has a machine in maintenance mode for each node that is not virtual", () => {
    const config = committed((each) => {
      firstNode(each).platform = "metal";
      delete firstNode(each).proxmox;
    });
    const { metal } = deriveLab(config, inputs);
    expect(metal).to.have.length(1);
    expect(metal[0]).to.include({ platform: "metal", address: toLoopback(firstNode(config).address) });
    expect(metal[0]?.disks.map(({ device }) => device)).to.include(firstNode(config).installDisk);
  });

  it("keeps the computers that it has, whatever the stack file calls them, or if it has them no longer", () => {
    const computers = (...given: [name: string, last: number][]) => {
      const config = committed((each) => {
        const node = { ...firstNode(each), platform: "metal" as const };
        delete node.proxmox;
        each["hearth:nodes"] = Object.fromEntries(
          given.map(([name, last]) => [
            name,
            { ...node, address: `10.20.0.${last.toString()}`, mac: `BC:24:11:20:00:${last.toString()}` },
          ]),
        );
      });
      return (known?: Machine[]) => deriveLab(config, { ...inputs, computers: known }).metal;
    };
    const before = computers(["cp01", 11], ["cp02", 12], ["cp03", 13])();
    const after = computers(["cp08", 12], ["cp01", 11])(before);
    expect(after).to.deep.equal(before);
    const others = computers(["cp02", 14], ["cp09", 13])(before);
    expect(others.map(({ name, mac }) => [name, mac.slice(-2)])).to.deep.equal([
      ["cp01", "11"],
      ["cp02", "12"],
      ["cp03", "13"],
      ["cp02-bc2411200014", "14"],
    ]);
    const replaced = computers(["cp01", 11])(before.map((each) => ({ ...each, mac: `BC:24:11:99:00:00` })));
    expect(replaced.map(({ name, mac }) => [name, mac])).to.deep.include(["cp01", "BC:24:11:20:00:11"]);
    expect(replaced.filter(({ address }) => address === replaced[0]?.address)).to.have.length(1);
  });

  it("refuses machines of a platform that it has no simulator for", () => {
    const config = committed((each) => (firstNode(each).platform = "cloud"));
    expect(() => deriveLab(config, inputs)).to.throw(
      "The lab cannot simulate nodes.den-dev-cp01, which has platform: cloud: it knows platform: proxmox or platform: metal",
    );
  });

  it("has a bucket only where volumes hold data", () => {
    const secrets = { accessKey: "key", secretKey: "secret" };
    const bucket = {
      address: "127.20.255.7:9443",
      host: "s3.example.com",
      name: "backups",
      ...secrets,
      region: "here",
    };
    expect(deriveLab(committed(), inputs)).not.to.have.property("bucket");
    expect(deriveLab(committed(), { ...inputs, bucket }).bucket).to.deep.equal(bucket);
  });

  it("leaves out what the stack does not have", () => {
    const config = committed((each) => {
      delete each["hearth:proxmox"];
      delete each["hearth:cloudflare"];
    });
    const lab = deriveLab(config, inputs);
    expect(lab.proxmox.address).to.equal("");
    expect(lab.cloudflare.address).to.equal("");
  });
});
