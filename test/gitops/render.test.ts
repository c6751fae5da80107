import { join } from "node:path";

import { expect } from "chai";

import { renderCluster, type RenderedObject } from "../../lib/tree/render.ts";

const root = join(import.meta.dirname, "../..");

describe("renderCluster", function () {
  // The first time, the program that renders is built.
  this.timeout(900_000);
  let objects: RenderedObject[];

  before(async () => {
    objects = await renderCluster(root, "dev");
  });

  const find = (kind: string, name: string): RenderedObject => {
    const [found, ...others] = objects.filter((object) => object.kind === kind && object.name === name);
    if (found === undefined || others.length > 0) throw new Error(`there is not one ${kind} ${name}`);
    return found;
  };

  it("follows the FluxInstance's path to what the last Kustomization applies", () => {
    expect(objects.map(({ kustomization }) => kustomization)).to.include.members(["flux-system/flux-system"]);
    expect(find("Deployment", "welcome").namespace).to.equal("apps");
  });

  it("says where each object stands", () => {
    const { file, line } = find("Deployment", "welcome");
    expect(file).to.match(/^gitops\/apps\/welcome\/.*deployment\.yaml$/);
    expect(line).to.equal(1);
  });

  it("substitutes what the stack file says", () => {
    expect(find("CiliumLoadBalancerIPPool", "load-balancers").object).to.have.nested.property(
      "spec.blocks[0].cidr",
      "10.20.0.192/26",
    );
  });

  it("has placeholders where the cluster has secrets", () => {
    expect(find("Secret", "cloudflared").object).to.have.nested.property(
      "stringData.token",
      "placeholder-token-den-dev",
    );
    expect(find("Secret", "welcome").object).to.have.nested.property("stringData.message", "placeholder");
  });
});
