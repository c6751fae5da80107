import { expect } from "chai";
import fc from "fast-check";
import { stringify } from "yaml";

import { documentsOf } from "../../../../lib/cluster/machine-configuration.ts";
import { changedText, differOnlyAt, printedText } from "../../../../lib/cluster/machine-text.ts";

const text = `version: v1alpha1 # kept
machine:
    type: controlplane
    ca:
        crt: b2xk
        key: b2xkLWtleQ==
    sysctls:
        net.core.somaxconn: "65535"
cluster:
    aggregatorCA: {crt: b2xk, key: b2xkLWtleQ==}
    inline: |
        on: yes
---
apiVersion: v1alpha1
kind: HostnameConfig
hostname: cp01
auto: off
`;

describe("the text of a machine's configuration", () => {
  it("changes at the given paths of its main document, and nowhere else", () => {
    const changed = changedText(text, [
      [["machine", "ca"], { crt: "bmV3", key: "" }],
      [["machine", "acceptedCAs"], [{ crt: "b2xk" }]],
    ]);
    const [main, hostname] = documentsOf(text) as { machine: object }[];
    expect(documentsOf(changed)).to.deep.equal([
      { ...main, machine: { ...main?.machine, ca: { crt: "bmV3", key: "" }, acceptedCAs: [{ crt: "b2xk" }] } },
      hostname,
    ]);
    expect(changed).to.contain("# kept").and.to.contain("auto: off").and.to.contain('"65535"');
  });

  it("is as before once an addition is removed again", () => {
    const added = changedText(text, [[["machine", "acceptedCAs"], [{ crt: "b2xk" }]]]);
    expect(documentsOf(changedText(added, [[["machine", "acceptedCAs"], undefined]]))).to.deep.equal(documentsOf(text));
  });

  it("keeps every value, whatever it looks like", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.oneof(fc.string(), fc.nat(), fc.boolean())),
        (extra) => {
          const before = stringify({ machine: { ca: { crt: "b2xk" } }, extra }, { lineWidth: 0 });
          const [after] = documentsOf(changedText(before, [[["machine", "ca"], { crt: "bmV3" }]]));
          expect(after).to.deep.equal({ machine: { ca: { crt: "bmV3" } }, extra });
        },
      ),
    );
  });

  it("is read out of what talosctl prints", () => {
    expect(printedText(stringify({ node: "10.20.0.11", metadata: {}, spec: text }))).to.equal(text);
    const object = { machine: { type: "worker" } };
    expect(documentsOf(printedText(stringify({ node: "10.20.0.11", spec: object })))).to.deep.equal([object]);
  });

  it("is told to differ in more than some paths", () => {
    const paths = [["machine", "ca"]];
    const other = changedText(text, [[["machine", "ca"], { crt: "bmV3" }]]);
    expect(differOnlyAt(text, other, paths)).to.equal(true);
    expect(differOnlyAt(text, changedText(other, [[["machine", "type"], "worker"]]), paths)).to.equal(false);
    expect(differOnlyAt(text, other.replace("hostname: cp01", "hostname: cp02"), paths)).to.equal(false);
    expect(differOnlyAt(text, other.replace(/---[^]*/, ""), paths)).to.equal(false);
  });

  it("is not changed without a main document", () => {
    expect(() => changedText("kind: HostnameConfig\n", [[["machine"], {}]])).to.throw("lacks the document");
  });

  it("have one line between two documents, and no empty ones, which Talos 1.12 cannot read", () => {
    const two = "---\nmachine:\n  ca: a\n---\n---\napiVersion: v1alpha1\nkind: HostnameConfig\n---\n";
    expect(changedText(two, [[["machine", "ca"], "b"]])).to.equal(
      "machine:\n  ca: b\n---\napiVersion: v1alpha1\nkind: HostnameConfig\n",
    );
  });
});
