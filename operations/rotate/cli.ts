import { Display } from "../../lib/terminal/display.ts";
import { readArguments } from "../../toolchain/arguments.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { meansFor } from "../escrow/cli.ts";
import type { Means, Written } from "../escrow/write.ts";
import type { Session } from "../../lib/terminal/session.ts";
import { Target } from "../../lib/engine/target.ts";
import { rotateAge } from "./age.ts";
import { rotateAuthority } from "./authority.ts";

const usage = `Usage: npm run rotate -- age|authority STACK [FLAG…]

  age         give the stack another age key: draw it, encrypt the tree to it, and write the escrow anew
  authority   give the cluster another Kubernetes certificate authority, the old one accepted until every machine has it,
              and write the escrow anew

Run again after an interruption, each finishes what it had begun.

  --identity FILE   a file with an age identity that opens the escrow; as often as needed
  --no-kms          do not ask the key management service
  --lab             the lab's stack; as well where the shell has evaluated \`npm run lab -- env\``;

const options = {
  lab: { type: "boolean" },
  kms: { type: "boolean", default: true },
  identity: { type: "string", multiple: true },
} as const;

/**
 * Gives a stack another root secret.
 *
 * @returns its exit code
 */
export const cli = async (args: string[], session: Session): Promise<number> => {
  const { values, positionals } = readArguments(args, options, usage);
  const [what, stack, ...more] = positionals;
  if (values.help === true) {
    session.print(usage);
    return 0;
  }
  const rotate = rotations.get(what ?? "");
  if (rotate === undefined || stack === undefined || more.length > 0) throw new Problem(usage);
  const target = await Target.open(session.root, stack, { lab: values.lab ?? false });
  const display = new Display();
  try {
    const { said, escrow } = await rotate(target, await meansFor(target, values.identity ?? [], values.kms, display));
    display.clear();
    session.print(said.join("\n"));
    const missing = escrow.copies.filter(({ problem }) => problem !== undefined);
    for (const { place, problem } of missing)
      session.complain(`The escrow was not copied to ${place}: ${problem ?? ""}`);
    return missing.length > 0 ? 1 : 0;
  } finally {
    display.clear();
  }
};

/** What a rotation says in the end. */
interface Ended {
  said: string[];
  escrow: Written;
}

const resumption = (resumed: boolean): string[] =>
  resumed ? ["Finished a rotation that an earlier run had begun"] : [];

const rotations = new Map<string, (target: Target, means: Means) => Promise<Ended>>([
  [
    "age",
    async (target, means) => {
      const { resumed, from, to, files, escrow } = await rotateAge(target, means);
      const said = [
        ...resumption(resumed),
        `The age key of ${target.stack} is ${to}, no longer ${from}`,
        ...["Encrypted anew:", ...files.map((file) => `  ${file}`)],
        afterAge(target, escrow.path),
      ];
      return { said, escrow };
    },
  ],
  [
    "authority",
    async (target, means) => {
      const { talosctl = "talosctl" } = await new Toolchain({ root: target.root }).ensure(["talosctl"]);
      const { resumed, escrow } = await rotateAuthority(target, means, talosctl);
      const said = [`Every machine of ${target.stack} has another Kubernetes authority, and so has the state`];
      return { said: [...resumption(resumed), ...said, afterAuthority(target, escrow.path)], escrow };
    },
  ],
]);

const deploy = ({ stack, isLab }: Target): string =>
  isLab ? `npm run lab -- up ${stack}` : `npm run deploy -- ${stack}`;

const afterAge = (target: Target, escrow: string): string =>
  [
    "",
    "What is left to do:",
    `  1. commit the files above, .sops.yaml${target.isLab ? "" : `, Pulumi.${target.stack}.yaml and ${escrow}`}, and push them`,
    `  2. ${deploy(target)}   plants the new key`,
    `  3. npm run escrow -- ${target.stack}${target.isLab ? " --lab" : ""}   takes the old seed out of the escrow`,
    "  4. change the values in the files above: whoever had the old key can still read them in Git's history",
  ].join("\n");

const afterAuthority = (target: Target, escrow: string): string =>
  [
    "",
    "What is left to do:",
    ...(target.isLab ? [] : [`  - commit ${escrow}, and push it`]),
    `  - ${deploy(target)}   renders what the machines have, and asks for a new kubeconfig`,
    "  - restart what talks to the Kubernetes API and trusts the old authority:",
    "    kubectl rollout restart deployment,daemonset,statefulset --namespace NAMESPACE, of each namespace",
  ].join("\n");
