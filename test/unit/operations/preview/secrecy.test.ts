import { expect } from "chai";
import fc from "fast-check";

import type { EngineEvent } from "../../../../lib/engine/events.ts";
import { previewOf, type Sources } from "../../../../operations/preview/preview.ts";
import { Secret, type Value } from "../../../../lib/engine/value.ts";

/** Key material: nothing that a report would have by chance. */
const key = fc
  .stringMatching(/^[A-Za-z0-9+/]{28,60}$/)
  .filter((text) => /\d/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text));

const type = "talos:machine/configurationApply:ConfigurationApply";
const urn = `urn:pulumi:dev::hearth::hearth:talos:TalosCluster$${type}::den-dev-cp01`;

const config = (token: string, patched: string): string => `version: v1alpha1
machine:
  type: controlplane
  token: ${JSON.stringify(token)}
  env:
    HTTPS_PROXY: ${JSON.stringify(patched)}
  install:
    image: factory.talos.dev/nocloud-installer/abc:v1.13.9
---
apiVersion: v1alpha1
kind: SomethingNew
secrets:
  - ${JSON.stringify(token)}
  - inner: { deep: ${JSON.stringify(patched)} }
`;

/** A run in which a machine's configuration, a resource's secret and a message of the program hold secrets. */
const sources = ([old, now, patched, inline]: [string, string, string, string]): Sources => {
  const state = (token: string) => ({
    inputs: { node: "10.0.0.1", key: new Secret({ nested: [token] }), list: [new Secret(inline)] } as Record<
      string,
      Value
    >,
    outputs: { machineConfiguration: new Secret(config(token, patched)) } as Record<string, Value>,
  });
  const events: EngineEvent[] = [
    { resourcePreEvent: { metadata: { op: "update", urn, type } } },
    { diagnosticEvent: { severity: "error", message: `the API refused ${now} and ${inline}` } },
    { diagnosticEvent: { severity: "warning", message: `base64 ${Buffer.from(now).toString("base64")}` } },
    {
      policyEvent: {
        message: `do not use ${patched}`,
        policyName: "a-policy",
        policyPackName: "hearth",
        enforcementLevel: "mandatory",
      },
    },
  ];
  return {
    stack: "dev",
    head: "Commit `abc`",
    base: undefined,
    state: { time: "now", resources: new Map([[urn, state(old)]]) },
    run: { events, succeeded: false, stderr: "" },
    observed: {
      resources: new Map([[urn, state(now)]]),
      secrets: new Map([["hearth:machinePatches", JSON.stringify({ all: [{ env: patched }] })]]),
    },
    trees: {
      mergeBase: undefined,
      base: [],
      head: [
        {
          kustomization: "flux-system/apps",
          apiVersion: "v1",
          kind: "Secret",
          name: "plain",
          file: "secret.yaml",
          object: { kind: "Secret", stringData: { inline, other: "low-entropy" } },
        },
      ],
      problems: [],
      unknown: [],
    },
    policies: true,
  };
};

describe("a preview's report", () => {
  it("never holds a secret, wherever it comes from", () => {
    fc.assert(
      fc.property(fc.tuple(key, key, key, key), (secrets) => {
        const { markdown } = previewOf(sources(secrets));
        for (const secret of secrets) {
          expect(markdown).not.to.contain(secret);
          expect(markdown).not.to.contain(Buffer.from(secret).toString("base64"));
        }
        expect(markdown).not.to.contain("low-entropy");
      }),
    );
  });

  it("shows that a key changed, and what did not", () => {
    const keys: [string, string, string, string] = [
      "aaaaAAAA1111bbbbBBBB2222cccc",
      "ddddDDDD3333eeeeEEEE4444ffff",
      "ggggGGGG5555hhhhHHHH6666iiii",
      "jjjjJJJJ7777kkkkKKKK8888llll",
    ];
    const { preview } = previewOf(sources(keys));
    const lines = preview.machines[0]?.lines.join("\n") ?? "";
    expect(lines).to.match(/^- {2}token: ‹[0-9a-f]{12}›\n\+ {2}token: ‹[0-9a-f]{12}›$/m);
    expect(lines).to.match(/^ {5}HTTPS_PROXY: ‹[0-9a-f]{12}›$/m);
    const [, before, after] = /-\s+token: (.*)\n\+\s+token: (.*)/.exec(lines) ?? [];
    expect(before).not.to.equal(after);
    expect(preview.resources[0]?.properties.map(({ path }) => path)).to.deep.equal(["key"]);
  });
});
