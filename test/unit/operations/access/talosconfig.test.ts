import { expect } from "chai";
import { parse } from "yaml";

import { lifetimeOf } from "../../../../operations/access/lifetime.ts";
import { issue, roleOf, type Order } from "../../../../operations/access/talosconfig.ts";
import { Problem } from "../../../../toolchain/problem.ts";

const nodes: Order["nodes"] = {
  "den-dev-cp01": { role: "controlplane", address: "10.20.0.11" },
  "den-dev-cp02": { role: "controlplane", address: "10.20.0.12" },
  "den-dev-wk01": { role: "worker", address: "10.20.0.21" },
};

const issued =
  "context: reader@den-dev\ncontexts:\n  reader@den-dev: { endpoints: [], ca: Q0E=, crt: Q1JU, key: S0VZ }\n";

const issuedBy = async (ask: Order["ask"]) => issue({ nodes, role: "os:reader", lifetime: "8h", ask });

describe("a talosconfig of a role", () => {
  it("is issued by a control plane, and names all of them and all machines", async () => {
    const asked: string[][] = [];
    const text = await issuedBy((...question) => {
      asked.push(question);
      return Promise.resolve(issued);
    });
    expect(asked).to.deep.equal([["10.20.0.11", "os:reader", "8h"]]);
    expect(parse(text)).to.deep.equal({
      context: "reader@den-dev",
      contexts: {
        "reader@den-dev": {
          ...{ ca: "Q0E=", crt: "Q1JU", key: "S0VZ" },
          endpoints: ["10.20.0.11", "10.20.0.12"],
          nodes: ["10.20.0.11", "10.20.0.12", "10.20.0.21"],
        },
      },
    });
  });

  it("is issued by the next control plane where one does not answer", async () => {
    const text = await issuedBy((address) =>
      address === "10.20.0.11" ? Promise.reject(new Problem("it does not answer")) : Promise.resolve(issued),
    );
    expect(text).to.contain("reader@den-dev");
  });

  it("is not issued where no control plane answers, and each says why", async () => {
    const failed = await issuedBy((address) => Promise.reject(new Problem(`${address} does not answer`))).catch(
      (error: unknown) => (error as Error).message,
    );
    expect(failed).to.equal(
      [
        "den-dev-cp01 issues no certificate: 10.20.0.11 does not answer",
        "den-dev-cp02 issues no certificate: 10.20.0.12 does not answer",
        "Look at the machines with `talosctl health`, then run this again",
      ].join("\n"),
    );
  });

  it("has a role of Talos and no other", () => {
    expect(roleOf("etcd-backup")).to.equal("os:etcd:backup");
    expect(() => roleOf("root")).to.throw("--role root is not a role: write reader, operator, etcd-backup, admin");
  });

  it("lives for a time that ends within a year", () => {
    expect(["30m", "8h", "30d"].map(lifetimeOf)).to.deep.equal([1800, 28_800, 2_592_000]);
    for (const text of ["0h", "8", "forever", "-8h"]) {
      expect(() => lifetimeOf(text)).to.throw(`--for ${text} is not a time: write one such as 30m, 8h or 30d`);
    }
    expect(() => lifetimeOf("400d")).to.throw("--for 400d is longer than a year: issue another when it ends");
  });
});
