import { readFile } from "node:fs/promises";
import { join } from "node:path";

import semver from "semver";

import type { ConfigurationProblem } from "../../infra/config/error.ts";
import type { State } from "../../lib/engine/state.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import type { Subject } from "./doctor.ts";
import { pluginFindings, pluginsOf, type Plugin } from "./plugins.ts";
import { fine, known, listed, notAsked, problem, warning, type Finding, type Known } from "./finding.ts";

/** What is known of this computer, and of the stack's files and state on it. */
export interface ComputerFacts {
  stack: string;
  /** Version of Node.js, and the range that Hearth needs. */
  node: { is: string; needs: string };
  /** What keeps the stack file from being deployed. */
  undeployable: readonly ConfigurationProblem[];
  /** URL of the state's backend. */
  backend: Known<string | undefined>;
  /** The number of resources; undefined if the backend does not know the stack. */
  size: Known<number | undefined>;
  state: Known<State | undefined>;
  /** Names of the secrets that could be read. */
  secrets: Known<string[]>;
  /** Programs that would have to be downloaded or built. */
  missing: Known<string[]>;
  /** The engine's plugins; in a lab they are its own. */
  plugins: Plugin[];
  isLab: boolean;
  /** Seconds that this computer's clock is ahead of a server's. */
  ahead: Known<number>;
}

/** Programs that commands run, beside the engine and its plugins. */
const programs = ["pulumi", "pulumi-language-nodejs", "talosctl", "sops"];

/** Seconds by which a clock may be off. Talos's and Kubernetes' certificates begin when they are made. */
const clockSkew = 60;

export const computerFindings = (facts: ComputerFacts): Finding[] => [
  nodeFinding(facts.node),
  ...configurationFindings(facts),
  ...stackFindings(facts),
  secretsFinding(facts),
  programsFinding(facts.missing),
  ...pluginFindings(facts.plugins, facts.isLab),
  clockFinding(facts.ahead),
];

const nodeFinding = ({ is, needs }: ComputerFacts["node"]): Finding =>
  semver.satisfies(is, needs)
    ? fine("computer Node.js", is)
    : problem("computer Node.js", `${is} is not ${needs}`, `install Node.js ${needs}`);

const configurationFindings = ({ stack, undeployable }: ComputerFacts): Finding[] =>
  undeployable.length === 0
    ? [fine("computer stack file", `Pulumi.${stack}.yaml is valid`)]
    : undeployable.map(({ path, problem: wrong, advice }) =>
        problem("computer stack file", `${path.map(String).join(".")} ${wrong}`, advice),
      );

const stackFindings = ({ stack, backend, size, state }: ComputerFacts): Finding[] => {
  const check = "computer state";
  const where = "value" in backend && backend.value !== undefined ? ` in ${backend.value}` : "";
  if ("why" in size) {
    return [
      problem(
        check,
        `the backend${where} does not answer: ${size.why}`,
        "pulumi login chooses a backend; look at its credentials and at the network",
      ),
    ];
  }
  if (size.value === undefined) {
    return [
      problem(
        check,
        `there is no stack ${stack}${where}`,
        `pulumi stack init ${stack} makes it; if its state is elsewhere, pulumi login there first`,
      ),
    ];
  }
  if ("why" in state) return [problem(check, `cannot be read: ${state.why}`, passphraseAdvice)];
  if (state.value === undefined) return [fine(check, `is empty${where}, as before the first deployment`)];
  const pending = state.value.deployment.pending_operations ?? [];
  return pending.length > 0
    ? [
        warning(
          check,
          `an update was interrupted, and ${pending.length.toString()} operations never reported`,
          `npx hearth deploy ${stack} goes on; npx hearth rebuild ${stack} finds out what is there`,
        ),
      ]
    : [fine(check, `has ${size.value.toString()} resources${where}`)];
};

const passphraseAdvice =
  "set PULUMI_CONFIG_PASSPHRASE_FILE to the file with the stack's passphrase, or give access to the key that encrypts its secrets";

const secretsFinding = ({ secrets, size }: ComputerFacts): Finding => {
  const check = "computer secrets of the stack file";
  if ("why" in size || size.value === undefined) return notAsked(check, "the stack's backend does not know it");
  if ("why" in secrets) return problem(check, `cannot be read: ${secrets.why}`, passphraseAdvice);
  return fine(check, secrets.value.length === 0 ? "there are none" : `can be read: ${listed(secrets.value)}`);
};

const programsFinding = (missing: Known<string[]>): Finding => {
  const check = "computer programs";
  if ("why" in missing) return notAsked(check, missing.why);
  return missing.value.length === 0
    ? fine(check, "all are there")
    : warning(check, `${listed(missing.value)} would be downloaded or built first`, "npx hearth tools all does it now");
};

const clockFinding = (ahead: Known<number>): Finding => {
  const check = "computer clock";
  if ("why" in ahead) return notAsked(check, ahead.why);
  const seconds = Math.round(Math.abs(ahead.value));
  if (seconds <= clockSkew) return fine(check, "agrees with a server's");
  const direction = ahead.value > 0 ? "ahead of" : "behind";
  return problem(
    check,
    `is ${seconds.toString()} s ${direction} a server's`,
    "set it by NTP: certificates that are made now would not be valid elsewhere",
  );
};

/** This computer. */
export const computer: Subject = {
  name: "computer",
  examine: async ({ target, config, undeployable, size, state, secrets, internet }) => {
    const { root, stack } = target;
    const [backend, manifest, missing, plugins, ahead] = await Promise.all([
      known(() => target.backend()),
      readFile(join(root, "package.json"), "utf8"),
      known(async () => {
        const located = await new Toolchain({ root }).locate(programs);
        return [...located].filter(([, found]) => found === undefined).map(([name]) => name);
      }),
      pluginsOf(root, { ...process.env, ...target.environment }),
      known(async () => {
        const { date } = await internet.ask(config.imageFactory, { method: "HEAD" });
        if (!date) throw new Error("no server told its time");
        return (Date.now() - date.getTime()) / 1000;
      }),
    ]);
    const { engines } = JSON.parse(manifest) as { engines: { node: string } };
    return computerFindings({
      ...{ stack, undeployable, backend, size, state, missing, plugins, ahead },
      isLab: target.isLab,
      node: { is: process.versions.node, needs: engines.node },
      secrets: "value" in secrets ? { value: Object.keys(secrets.value).sort() } : secrets,
    });
  },
};
