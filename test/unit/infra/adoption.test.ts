import { expect } from "chai";

import { recordKey } from "../../../components/cloudflare/records.ts";
import { adopts, recordedDnsRecords, withoutAdopted } from "../../../infra/adoption.ts";
import { parseConfig } from "../../../infra/config/index.ts";
import { changed, type Change } from "../../support/changes.ts";
import { run } from "../../support/graph.ts";

const adopt = "372e67954025e0ba6aaa6d586b9e0b59";
const service = "http://a.apps";

const dev = (...changes: Change[]) => parseConfig("dev", changed("dev", ...changes));

const adopting = () =>
  dev(
    ["cloudflare/ingress", [{ hostname: "a.example.com", service, adopt }]],
    ["cloudflare/tunnels", { nas: { ingress: [{ hostname: "b.example.com", service, adopt }] } }],
    ["cloudflare/records", [{ name: "c", type: "A", content: "192.0.2.1", adopt }]],
  );

/** Where `adopt` is left in a configuration. */
const left = ({ cloudflare }: ReturnType<typeof dev>): string[] => [
  ...(cloudflare?.ingress ?? []).flatMap((rule) => (rule.adopt ? [rule.hostname] : [])),
  ...(cloudflare?.tunnels.nas?.ingress ?? []).flatMap((rule) => (rule.adopt ? [rule.hostname] : [])),
  ...(cloudflare?.records ?? []).flatMap((record) => (record.adopt ? [record.name] : [])),
];

/** What the engine's own functions answer about the stack's state. */
const asking = async (outputs: object, resources: Record<string, { type: string }>): Promise<string[]> => {
  const found: Set<string>[] = [];
  await run(
    async () => {
      found.push(await recordedDnsRecords());
    },
    {
      functions: {
        "pulumi:pulumi:readStackOutputs": () => ({ outputs }),
        "pulumi:pulumi:readStackResourceOutputs": () => ({ outputs: resources }),
      },
    },
  );
  return found.flatMap((names) => [...names]);
};

describe("taking over a record", () => {
  it("is wished for by a rule, a rule of another tunnel or a record", () => {
    expect(adopts(dev())).to.equal(false);
    expect(adopts(dev(["cloudflare", undefined]))).to.equal(false);
    expect(adopts(adopting())).to.equal(true);
  });

  it("is left to what the stack does not have yet", () => {
    expect(left(withoutAdopted(adopting(), new Set()))).to.have.members(["a.example.com", "b.example.com", "c"]);
    const [record = { name: "", type: "", ttl: 1 }] = adopting().cloudflare?.records ?? [];
    const recorded = new Set(["a.example.com", recordKey(record, { id: "", name: "example.com" })]);
    expect(left(withoutAdopted(adopting(), recorded))).to.deep.equal(["b.example.com"]);
  });

  it("changes nothing else", () => {
    expect(withoutAdopted(dev(), new Set(["welcome-dev.example.com"]))).to.deep.include({
      cloudflare: dev().cloudflare,
    });
    expect(withoutAdopted(dev(["cloudflare", undefined]), new Set())).not.to.have.property("cloudflare");
  });

  it("knows the records of the stack by their names in its state", async () => {
    const urn = "urn:pulumi:dev::hearth::hearth:cloudflare:Tunnel$cloudflare:index/dnsRecord:DnsRecord::*.example.com";
    const known = { [urn]: { type: "cloudflare:index/dnsRecord:DnsRecord" }, "a::b::c::d": { type: "talos:x" } };
    expect(await asking({ deployKey: "ssh-ed25519" }, known)).to.deep.equal(["*.example.com"]);
  });

  it("does not ask for the resources of a stack that was never up", async () => {
    expect(await asking({}, { "a::b::c::d": { type: "cloudflare:index/dnsRecord:DnsRecord" } })).to.deep.equal([]);
  });
});
