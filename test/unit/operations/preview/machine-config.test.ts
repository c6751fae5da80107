import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import fc from "fast-check";
import { parseAllDocuments, stringify } from "yaml";

import { Fingerprints } from "../../../../operations/preview/fingerprints.ts";
import { ancestors, yamlDiff } from "../../../../operations/preview/line-diff.ts";
import { shownConfig } from "../../../../operations/preview/machine-config.ts";

const fingerprints = Fingerprints.of("a seed");
const shown = (whole: string, ...patches: string[]) => shownConfig({ whole, patches }, fingerprints);

describe("a shown machine configuration", () => {
  it("has what Hearth renders as it stands, and nothing else but fingerprints", () => {
    const rendered = readFileSync(join(import.meta.dirname, "../../../snapshots/machine-config/plain.yaml"), "utf8");
    const clear = shown(rendered, rendered);
    expect(parseAllDocuments(clear).map((document) => document.toJS() as unknown)).to.deep.equal(
      parseAllDocuments(rendered).map((document) => document.toJS() as unknown),
    );
    expect(clear).not.to.contain("‹");
  });

  it("takes what a patch in the clear says in another document for a secret", () => {
    const patch = "apiVersion: v1alpha1\nkind: A\nname: one\ntoken: visible-there\n";
    expect(shown("apiVersion: v1alpha1\nkind: A\nname: two\ntoken: visible-there\n", patch)).not.to.contain("visible");
  });

  it("shows no secret of a patch in the clear either", () => {
    const patch = `apiVersion: v1alpha1
kind: WireguardConfig
name: wg0
mtu: 1420
privateKey: yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
---
machine:
  registries: { config: { ghcr.io: { auth: { username: me, password: hunter2 } } } }
  files: [{ path: /var/etc/x, content: "token: hunter3" }]
`;
    const text = shown(patch, patch);
    expect(text).not.to.match(/yAnz5TF|hunter/);
    expect(text)
      .to.contain("mtu: 1420")
      .and.to.contain("username: me")
      .and.to.match(/password: ‹[0-9a-f]{12}›/);
  });

  it("shows a generated setting only where it looks like one", () => {
    const config = (image: string) => `version: v1alpha1\nmachine: { kubelet: { image: "${image}" } }\n`;
    expect(shown(config("ghcr.io/siderolabs/kubelet:v1.36.4"))).to.contain("kubelet:v1.36.4");
    expect(shown(config("user:password@registry/kubelet:v1"))).not.to.contain("password");
  });

  it("shows no value of a document that nobody has heard of", () => {
    const value = fc.oneof(fc.stringMatching(/^[a-z0-9-]{4,20}$/), fc.integer({ min: 1000 }));
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        value,
        fc.array(tie("node"), { maxLength: 3 }),
        fc.dictionary(fc.stringMatching(/^[A-Z]{1,5}$/), tie("node"), { maxKeys: 4 }),
      ),
    })).node;
    fc.assert(
      fc.property(tree, (body) => {
        const text = shown(stringify({ apiVersion: "v1alpha1", kind: "Novelty", body }));
        const values = JSON.stringify(body).match(/[a-z0-9-]{4,20}/g) ?? [];
        for (const each of values) expect(text.replaceAll(/‹[0-9a-f]{12}›/g, "")).not.to.contain(each);
      }),
    );
  });
});

describe("fingerprints", () => {
  it("are the same for the same value under one key, and others under another", () => {
    expect(fingerprints.print("hunter2")).to.equal(Fingerprints.of("a seed").print("hunter2"));
    expect(fingerprints.print("hunter2")).not.to.equal(Fingerprints.of("another seed").print("hunter2"));
    expect(fingerprints.print("hunter2")).not.to.equal(fingerprints.print("hunter3"));
  });

  it("do not depend on the order of names", () => {
    expect(fingerprints.print({ a: 1, b: 2 })).to.equal(fingerprints.print({ b: 2, a: 1 }));
  });
});

describe("a line diff", () => {
  it("says under which keys and in which document a line stands", () => {
    const text = "apiVersion: v1\nkind: LinkConfig\nname: net0\nroutes:\n  - gateway: 10.0.0.1\n    metric: 5\n";
    expect(ancestors(text.split("\n"), 5)).to.equal("LinkConfig net0 › routes");
    expect(yamlDiff(text, text.replace("metric: 5", "metric: 6"))[0]).to.equal("@@ LinkConfig net0 › routes @@");
  });

  it("is empty for equal texts, and else has every changed line", () => {
    const lines = fc.array(fc.stringMatching(/^[a-z: ]{0,2}$/), { minLength: 1 });
    const text = (of: string[]) => `${of.join("\n")}\n`;
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = yamlDiff(text(before), text(after));
        const marked = (mark: string) => diff.filter((line) => line.startsWith(mark)).map((line) => line.slice(1));
        // What was taken away and what is there now are what was there and what was added.
        expect([...marked("-"), ...after].sort()).to.deep.equal([...before, ...marked("+")].sort());
        expect(yamlDiff(text(before), text(before))).to.deep.equal([]);
      }),
    );
  });
});
