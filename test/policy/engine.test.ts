import { Secret, type ResourceValidationArgs } from "@pulumi/policy";
import * as proxies from "@pulumi/policy/proxy.js";
import * as secrets from "@pulumi/policy/secret.js";
import { expect } from "chai";

import { resourceOf } from "../../policy/engine.ts";
import { isSecret } from "../../policy/resource.ts";

/** The SDK keeps them to itself, and its declarations do not have them. */
const { unknownCheckingProxy, unknownStringValue, secretsPreservingProxy } = { ...proxies, ...secrets } as unknown as {
  unknownCheckingProxy: (value: unknown) => Record<string, unknown>;
  secretsPreservingProxy: (value: unknown) => unknown;
  unknownStringValue: string;
};

/** What the SDK hands a remediation: proxies around marks of secrets. */
const handed = (props: Record<string, unknown>): Parameters<typeof resourceOf>[0] => ({
  urn: "urn:pulumi:dev::hearth::a:b:C::c",
  type: "a:b:C",
  name: "c",
  opts: { protect: true } as ResourceValidationArgs["opts"],
  props: unknownCheckingProxy(secretsPreservingProxy(props)),
});

describe("what the engine hands a policy", () => {
  it("is read in plain, with the paths of what is secret", () => {
    const resource = resourceOf(
      handed({ name: "c", key: new Secret("k3y"), list: ["a", new Secret({ deep: "b" })], open: { token: "t" } }),
    );
    expect(resource.inputs).to.deep.equal({ name: "c", key: "k3y", list: ["a", { deep: "b" }], open: { token: "t" } });
    expect(resource.secretPaths).to.deep.equal(["key", "list.1"]);
    expect(isSecret(resource, "list.1.deep")).to.equal(true);
    expect(isSecret(resource, "list.10")).to.equal(false);
    expect(isSecret(resource, "open.token")).to.equal(false);
  });

  it("has nothing where a value is not known yet, and does not fail", () => {
    const { inputs } = resourceOf(
      handed({ content: unknownStringValue, type: "CNAME", secret: new Secret(unknownStringValue) }),
    );
    expect(inputs).to.deep.equal({ type: "CNAME" });
  });
});
