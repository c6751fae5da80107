import { expect } from "chai";
import fc from "fast-check";
import { parse } from "yaml";

import {
  ciliumFacts,
  loadBalancerFacts,
  type CiliumSettings,
  type Encryption,
} from "../../../../components/network/facts.ts";
import { ipsecKey } from "../../../../components/network/ipsec.ts";
import { gatewayApiPatch } from "../../../../components/network/gateway-api.ts";

describe("the facts of load balancers", () => {
  it("name the links that answer by L2", () => {
    expect(loadBalancerFacts(["10.20.0.192/26"], { mode: "l2", interfaces: ["^eth0$"] })).to.deep.equal({
      load_balancer_cidr: "10.20.0.192/26",
      load_balancer_blocks: '[{"cidr":"10.20.0.192/26"}]',
      load_balancer_announcement: "l2",
      l2_interfaces: '["^eth0$"]',
    });
  });

  it("are YAML that Cilium's BGP resources take, whatever the peers", () => {
    const peer = fc.record({
      name: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
      address: fc.ipV4(),
      asn: fc.integer({ min: 1, max: 4_294_967_294 }),
    });
    fc.assert(
      fc.property(fc.array(peer, { minLength: 1 }), fc.integer({ min: 1, max: 65_534 }), (peers, asn) => {
        const facts = loadBalancerFacts(["10.20.0.192/26"], { mode: "bgp", asn, peers });
        const filled = parse(`localASN: ${facts.bgp_asn}\npeers: ${facts.bgp_peers}`) as unknown;
        expect(filled).to.deep.equal({
          localASN: asn,
          peers: peers.map((each) => ({
            name: each.name,
            peerAddress: each.address,
            peerASN: each.asn,
            peerConfigRef: { name: "load-balancers" },
          })),
        });
      }),
    );
  });
});

describe("the facts of BGP", () => {
  const peers = [{ name: "router", address: "10.20.0.1", asn: 64512 }];

  const configOf = (changes: object, pools: [string, ...string[]] = ["10.31.0.0/24"]) =>
    parse(loadBalancerFacts(pools, { mode: "bgp", asn: 64513, peers, ...changes }).bgp_peer_config ?? "") as unknown;

  const advertisements = { matchLabels: { "hearth.dev/advertise": "load-balancers" } };

  it("restart gracefully, and leave the rest to Cilium", () => {
    expect(configOf({})).to.deep.equal({
      gracefulRestart: { enabled: true, restartTimeSeconds: 120 },
      families: [{ afi: "ipv4", safi: "unicast", advertisements }],
    });
  });

  it("have timers, hops and the name of the password's Secret, and never the password", () => {
    expect(configOf({ authentication: "password", multihop: 3, timers: { hold: 9, keepAlive: 3 } })).to.deep.include({
      timers: { holdTimeSeconds: 9, keepAliveTimeSeconds: 3 },
      ebgpMultihop: 3,
      authSecretRef: "bgp-password",
    });
  });

  it("announce both families where there are two pools", () => {
    expect(configOf({}, ["10.31.0.0/24", "fd00:10:31::/112"]))
      .to.have.property("families")
      .that.deep.equals(["ipv4", "ipv6"].map((afi) => ({ afi, safi: "unicast", advertisements })));
  });
});

describe("the facts for Cilium's values", () => {
  const valuesOf = (changes: Partial<CiliumSettings> = {}) =>
    Object.fromEntries(
      Object.entries(
        ciliumFacts({ ipv6: false, encryption: { type: "none" }, loadBalancerMode: "snat", ...changes }),
      ).map(([name, text]) => [name, parse(text) as unknown]),
    );

  it("are the chart's defaults where nothing is said", () => {
    expect(valuesOf()).to.deep.equal({
      cilium_ipv6: { enabled: false },
      cilium_encryption: { enabled: false },
      cilium_load_balancer: {},
      cilium_tunnel_protocol: "vxlan",
    });
  });

  it("encrypt by WireGuard, with the nodes' own traffic or without, or by IPsec", () => {
    const encryptions: Encryption[] = [
      { type: "wireguard", nodes: false },
      { type: "wireguard", nodes: true },
      { type: "ipsec" },
    ];
    expect(encryptions.map((encryption) => valuesOf({ encryption }).cilium_encryption)).to.deep.equal([
      { enabled: true, type: "wireguard" },
      { enabled: true, type: "wireguard", nodeEncryption: true },
      { enabled: true, type: "ipsec" },
    ]);
  });

  it("use Geneve where the pod's node answers the client", () => {
    for (const mode of ["dsr", "hybrid"] as const) {
      expect(valuesOf({ loadBalancerMode: mode })).to.deep.include({
        cilium_load_balancer: { mode, dsrDispatch: "geneve" },
        cilium_tunnel_protocol: "geneve",
      });
    }
  });
});

describe("the key of IPsec", () => {
  it("is Cilium's line: number and plus, algorithm, 20 bytes, tag", () => {
    const seed = Buffer.from(Uint8Array.from({ length: 32 }, (_, index) => index)).toString("base64");
    expect(ipsecKey(seed)).to.equal("3+ rfc4106(gcm(aes)) 000102030405060708090a0b0c0d0e0f10111213 128");
  });
});

describe("the Gateway API's definitions", () => {
  it("come from the project's release, by Talos", () => {
    expect(gatewayApiPatch("v1.6.1")).to.deep.equal({
      cluster: {
        extraManifests: [
          "https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.6.1/experimental-install.yaml",
        ],
      },
    });
  });
});
