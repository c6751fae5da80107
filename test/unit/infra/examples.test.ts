import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import { resourceTypes } from "../../../components/resource-types.ts";
import { releaseProblems } from "../../../infra/config/checks/releases.ts";
import type { ConfigurationProblem } from "../../../infra/config/error.ts";
import type { HearthConfig } from "../../../infra/config/index.ts";
import { examineStackFile, parseStackFile } from "../../../infra/config/stack-file.ts";
import { readTree } from "../../../infra/tree.ts";
import { examples, examplesFolder } from "../../support/examples.ts";
import { findings, resourcesOf } from "../../support/policy.ts";
import { runStack } from "../../support/stack.ts";

const told = ({ path, problem }: ConfigurationProblem): string => `${path.join(".")}: ${problem}`;

const readme = readFileSync(join(examplesFolder, "README.md"), "utf8");

describe("the examples", () => {
  it("are listed in their README, each by its folder", () => {
    const listed = [...readme.matchAll(/^\| `([\w-]+)` +\|/gm)].map(([, name]) => name);
    expect(listed).to.deep.equal(examples.map(({ name }) => name));
  });

  for (const { name, stacks, read } of examples) {
    describe(name, () => {
      const [stack = ""] = stacks;

      const examined = () => examineStackFile(parseStackFile(read(stack)));

      const config = (): HearthConfig => {
        const found = examined();
        if (!found.config) throw new Error(found.problems.map(told).join("\n"));
        return found.config;
      };

      it("is one stack file, with a comment on what it is for", () => {
        expect(stacks).to.have.lengthOf(1);
        expect(read(stack)).to.match(
          /^# yaml-language-server: \$schema=\.\.\/\.\.\/infra\/config\.schema\.json\n\n# \w/,
        );
      });

      it("has no problem and no warning, and lacks only secrets and recipients of one's own", () => {
        const { problems, warnings, undeployable } = examined();
        expect([...problems, ...warnings].map(told)).to.deep.equal([]);
        const isRecipient = ({ path }: ConfigurationProblem) => path[0] === "escrow" && path[1] === "recipients";
        expect(undeployable.some(isRecipient)).to.equal(true);
        // The comment says which secrets to set.
        for (const { advice } of undeployable.filter((found) => !isRecipient(found)))
          expect(read(stack)).to.contain(/^set it with: (.*)$/.exec(advice)?.[1]);
      });

      it("suits the GitOps tree", () => {
        expect(releaseProblems(config(), readTree(config())).map(told)).to.deep.equal([]);
      });

      it("renders: every node gets a machine's configuration, at its address", async () => {
        const given = config();
        const graph = await runStack(given);
        const applied = graph.ofType(resourceTypes.machineConfiguration);
        expect(applied.map(({ inputs }) => inputs.node)).to.have.members(
          Object.values(given.nodes).map(({ address }) => address),
        );
      }).timeout(60_000);

      it("is refused by no policy, once its escrow is written", async () => {
        const given = config();
        const { cilium } = readTree(given);
        const surroundings = { stack, config: given, cilium, collisions: [], recorded: [], escrow: undefined };
        const found = await findings(resourcesOf(await runStack(given)), surroundings);
        expect(found.map(({ policy, problem }) => `${policy}: ${problem}`)).to.deep.equal([]);
      }).timeout(60_000);
    });
  }
});
