import { ageRecipient, verifyOpens, type EncryptedFile } from "../../components/secrets/age.ts";
import { readTree } from "../../infra/tree.ts";
import { stackIdentity } from "../../lib/secrets/stack-identity.ts";
import type { Subject } from "./doctor.ts";
import { fine, known, listed, notAsked, problem, valueOf, type Finding, type Known } from "./finding.ts";
import { secretOf, withoutState } from "./surroundings.ts";

/** What is known of the cluster's part of the tree. */
export interface TreeFacts {
  stack: string;
  /** Paths of its encrypted files, or why it cannot be read. */
  encrypted: Known<string[]>;
  /** The stack's age recipient, and the files that its identity does not open; or why there is none. */
  key: Known<{ recipient: string; closed: string[] }>;
}

export const treeFindings = ({ stack, encrypted, key }: TreeFacts): Finding[] => {
  if ("why" in encrypted) {
    return [problem("tree", encrypted.why, "correct it; npx hearth check --tree looks at all of it")];
  }
  const check = "tree encrypted files";
  if (encrypted.value.length === 0) return [fine(check, "there are none")];
  if ("why" in key) return [notAsked(check, key.why)];
  const { recipient, closed } = key.value;
  if (closed.length === 0) return [fine(check, `the stack's age key opens all ${encrypted.value.length.toString()}`)];
  return [
    problem(
      check,
      `the stack's age key does not open ${listed(closed)}`,
      `npx hearth secret init ${stack} makes the tree's secrets the stack's own; where they are yours already, name ${recipient} in this ` +
        `environment's rule of .sops.yaml, then: npx hearth secret rotate ${closed.join(" ")}`,
    ),
  ];
};

const closedTo = async (identity: string, files: readonly EncryptedFile[]): Promise<string[]> => {
  const tried = files.map(async (file) => "why" in (await known(() => verifyOpens(identity, [file]))));
  const closed = await Promise.all(tried);
  return files.filter((_, index) => closed[index]).map(({ path }) => path);
};

/** The cluster's part of gitops/, in this checkout. */
export const tree: Subject = {
  name: "tree",
  examine: async ({ config, target, state, secrets }) => {
    // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is kept as a reason.
    const files = await known(async () => readTree(config, target.root).encryptedFiles);
    const identity = stackIdentity(valueOf(state), valueOf(secretOf(secrets, "ageSeed")));
    const why = withoutState(state);
    return treeFindings({
      stack: target.stack,
      encrypted: "why" in files ? files : { value: files.value.map(({ path }) => path) },
      key:
        identity === undefined
          ? { why: why === undefined ? "the state has no age key yet" : `${why}, so there is no age key yet` }
          : {
              value: {
                recipient: await ageRecipient(identity),
                closed: await closedTo(identity, valueOf(files) ?? []),
              },
            },
    });
  },
};
