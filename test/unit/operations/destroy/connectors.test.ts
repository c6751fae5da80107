import { expect } from "chai";

import type { Kubernetes, KubernetesObject } from "../../../../lib/cluster/kubernetes.ts";
import { isConnector, ownerOf, stopConnectors } from "../../../../operations/destroy/connectors.ts";

const deployment = (name: string, image: string, labels: Record<string, string> = {}): KubernetesObject => ({
  metadata: { name, namespace: "edge", labels },
  spec: { template: { spec: { containers: [{ image }] } } },
});

const byKustomization = {
  "kustomize.toolkit.fluxcd.io/name": "cloudflared",
  "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
};

describe("connectors of tunnels", () => {
  it("are the Deployments that run cloudflared, wherever the image is from", () => {
    for (const image of [
      "cloudflare/cloudflared:2026.1.0",
      "docker.io/cloudflare/cloudflared@sha256:00",
      "cloudflared",
    ]) {
      expect(isConnector(deployment("a", image)), image).to.equal(true);
    }
    expect(isConnector(deployment("a", "ghcr.io/somebody/cloudflared-exporter:1"))).to.equal(false);
  });

  it("belong to the release or the Kustomization of their labels", () => {
    expect(ownerOf(byKustomization)).to.equal(
      "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/cloudflared",
    );
    expect(ownerOf({})).to.equal(undefined);
  });

  it("are stopped after Flux, which would start them again", async () => {
    const done: string[] = [];
    const kubernetes = {
      list: () =>
        Promise.resolve([
          deployment("cloudflared", "cloudflare/cloudflared:1", byKustomization),
          deployment("web", "nginx:1"),
        ]),
      merge: (path: string, patch: object) => {
        done.push(`${path.split("/").slice(-2).join("/")} ${JSON.stringify(patch)}`);
        return Promise.resolve();
      },
      get: () => Promise.resolve({ metadata: { name: "cloudflared" }, status: { replicas: 0 } }),
    } as unknown as Kubernetes;
    expect(await stopConnectors(kubernetes)).to.deep.equal(["edge/cloudflared"]);
    expect(done).to.deep.equal([
      'kustomizations/cloudflared {"spec":{"suspend":true}}',
      'deployments/cloudflared {"spec":{"replicas":0}}',
    ]);
  });
});
