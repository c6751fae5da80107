import { Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { credentialsFor } from "../escrow/credentials.ts";
import type { Credentials, Written } from "../escrow/write.ts";
import type { Call } from "../../lib/terminal/command.ts";
import type { Target } from "../../lib/engine/target.ts";
import { rotateAge } from "./age.ts";
import { rotateAuthority } from "./authority.ts";

/** Gives a stack another root secret. */
export const rotate = async ({
  args: [what = ""],
  stack,
  values,
  identities,
  display,
  print,
  complain,
  open,
  answer,
}: Call<{ kms?: boolean | undefined }>): Promise<number> => {
  const rotation = rotations.get(what);
  if (rotation === undefined) throw new Problem(`There is no root secret ${what} that Hearth rotates`);
  const target = await open();
  const credentials = await credentialsFor(target, identities, values.kms ?? true, display);
  const { said, resumed, escrow } = await rotation(target, credentials);
  print(said.join("\n"));
  const missing = escrow.copies.filter(({ problem }) => problem !== undefined);
  for (const { destination, problem } of missing)
    complain(`The escrow was not copied to ${destination}: ${problem ?? ""}`);
  answer({ stack, rotated: what, resumed, escrow: escrow.path, copies: escrow.copies });
  return missing.length > 0 ? 1 : 0;
};

/** The closing message of a rotation. */
interface Ended {
  said: string[];
  /** Whether an earlier run began it. */
  resumed: boolean;
  escrow: Written;
}

const resumption = (resumed: boolean): string[] =>
  resumed ? ["Finished a rotation that an earlier run had begun"] : [];

const rotations = new Map<string, (target: Target, credentials: Credentials) => Promise<Ended>>([
  [
    "age",
    async (target, credentials) => {
      const { resumed, from, to, files, escrow } = await rotateAge(target, credentials);
      const said = [
        ...resumption(resumed),
        `The age key of ${target.stack} is ${to}, no longer ${from}`,
        ...["Encrypted anew:", ...files.map((file) => `  ${file}`)],
        afterAge(target, escrow.path),
      ];
      return { said, resumed, escrow };
    },
  ],
  [
    "authority",
    async (target, credentials) => {
      const { talosctl = "talosctl" } = await new Toolchain({ root: target.root }).ensure(["talosctl"]);
      const { resumed, escrow } = await rotateAuthority(target, credentials, talosctl);
      const said = [`Every machine of ${target.stack} has another Kubernetes authority, and so has the state`];
      return { said: [...resumption(resumed), ...said, afterAuthority(target, escrow.path)], resumed, escrow };
    },
  ],
]);

const deploy = ({ stack, isLab }: Target): string =>
  isLab ? `npm run lab -- up ${stack}` : `npx hearth deploy ${stack}`;

const afterAge = (target: Target, escrow: string): string =>
  [
    "",
    "What is left to do:",
    `  1. commit the files above, .sops.yaml${target.isLab ? "" : `, Pulumi.${target.stack}.yaml and ${escrow}`}, and push them`,
    `  2. ${deploy(target)}   gives the cluster the new key`,
    `  3. npx hearth escrow ${target.stack}${target.isLab ? " --lab" : ""}   takes the old seed out of the escrow`,
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
