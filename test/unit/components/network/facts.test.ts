import { expect } from "chai";
import fc from "fast-check";
import { parse } from "yaml";

import { loadBalancerFacts } from "../../../../components/network/facts.ts";
import { gatewayApiPatch } from "../../../../components/network/gateway-api.ts";

describe("the facts of load balancers", () => {
  it("name the links that answer by L2", () => {
    expect(loadBalancerFacts("10.20.0.192/26", { mode: "l2", interfaces: ["^eth0$"] })).to.deep.equal({
      load_balancer_cidr: "10.20.0.192/26",
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
        const facts = loadBalancerFacts("10.20.0.192/26", { mode: "bgp", asn, peers });
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
