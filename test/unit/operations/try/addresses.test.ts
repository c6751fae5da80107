import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import { parse } from "yaml";

import { examineStackFile, parseStackFile } from "../../../../infra/config/stack-file.ts";
import { movedAside } from "../../../../operations/try/addresses.ts";

const root = join(import.meta.dirname, "../../../..");

describe("the addresses of a stack file that is moved aside", () => {
  for (const stack of ["dev", "prod"]) {
    const committed = readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8");

    it(`are others on the network of machines, and the file of ${stack} is as valid as before`, () => {
      const moved = movedAside(committed);
      const second = stack === "dev" ? 20 : 30;
      expect(moved).to.contain(`10.${second + 128}.0.11`);
      expect(moved.replaceAll(/#.*/g, "")).to.not.contain(`10.${second}.0.`);
      expect(examineStackFile(parseStackFile(moved)).problems).to.deep.equal([]);
    });

    it(`leave everything else of ${stack} as it is, and come back when they are moved again`, () => {
      expect(movedAside(movedAside(committed))).to.equal(movedAside(movedAside(movedAside(movedAside(committed)))));
      expect(parse(movedAside(movedAside(committed)))).to.deep.equal(parse(committed));
    });
  }

  const moves: [from: string, to: string][] = [
    ["https://10.20.0.10:6443", "https://10.148.0.10:6443"],
    ["192.168.1.0/24", "192.40.1.0/24"],
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["10.0.0.7-10.0.0.9", "10.128.0.7-10.128.0.9"],
    ["0.0.0.0", "0.0.0.0"],
    ["127.0.0.1", "127.0.0.1"],
    ["v1.2.3", "v1.2.3"],
    ["1.2.3.4.5", "1.2.3.4.5"],
  ];
  for (const [from, to] of moves) {
    it(`make ${to} of ${from}`, () => {
      expect(parse(movedAside(`a: "${from}"\n`))).to.deep.equal({ a: to });
    });
  }

  it("do not concern networks inside of the cluster", () => {
    const text = "podCidr: 10.244.0.0/16\nserviceCidr: 10.96.0.0/12\n";
    expect(movedAside(text)).to.equal(text);
  });

  it("stay where the file is not YAML, which the deployment says", () => {
    expect(movedAside("a: [10.20.0.1\n")).to.equal("a: [10.20.0.1\n");
  });
});
