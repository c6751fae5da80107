import { join } from "node:path";

import { expect } from "chai";

import { examineStackFile, readStackFile } from "../../../infra/config/stack-file.ts";
import { plainFacts } from "../../../infra/facts.ts";

const examples = join(import.meta.dirname, "../../../examples");

const factsOf = (example: string, stack: string): Record<string, string> => {
  const { config } = examineStackFile(readStackFile(join(examples, example), stack));
  if (!config) throw new Error(`${example} is not valid`);
  return plainFacts(config);
};

describe("the addresses of gateways", () => {
  it("are one of each family that the cluster has", () => {
    expect(factsOf("dual-stack-with-bgp", "prod")).to.deep.include({
      internal_gateway_address: "10.31.0.2,fd00:10:31::2",
      external_gateway_address: "10.31.0.3,fd00:10:31::3",
    });
    expect(factsOf("three-metal-nodes", "prod").internal_gateway_address).to.match(/^[\d.]+$/);
  });
});
