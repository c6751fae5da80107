import { materialIn, secretsIn } from "../../components/secrets/looks-secret.ts";
import { resourceTypes } from "../../components/resource-types.ts";
import { machineDocuments } from "../machine-documents.ts";
import { isSecret, leaves, type Leaf, type Resource } from "../resource.ts";
import type { Finding, Rule } from "../rule.ts";

/** Names of inputs that contain secrets, on any resource. */
const secretName =
  /(^|\.)(password|passphrase|apiToken|token|privateKey|clientKey|secretKey|sshPrivateKey|tunnelSecret|clientSecret)$/i;

/** Minimum length, in characters, of the words of secrets that are searched for in other inputs. */
const shortest = 20;

/** Keeps secrets from appearing unencrypted in the state, in a preview or in a log. */
export const secretInputs: Rule = {
  name: "secret-inputs",
  description: "No secret is an input in the clear.",
  check: (resource, stack) => {
    const open = leaves(resource.inputs).filter(({ path }) => !isSecret(resource, path));
    const known = new Map(
      [...stack.earlier(resource), resource].flatMap((each) => secretWords(each).map((word) => [word, each.name])),
    );
    const inPatches = patchFindings(resource);
    if (inPatches.length > 0) return inPatches;
    return open.flatMap((leaf): Finding[] => {
      const what = nameOf(leaf) ?? copyOf(leaf, known);
      if (what === undefined) return [];
      return [
        {
          problem: `${resource.name} has ${what} in the clear, in its input ${leaf.path}`,
          advice: "wrap it with pulumi.secret where it is created, and replace it if it was ever deployed",
          subject: resource.name,
        },
      ];
    });
  },
};

/** Patches are strings, so secrets are searched for in the documents that they contain. */
const patchFindings = (resource: Resource): Finding[] =>
  resource.type !== resourceTypes.machineConfiguration || isSecret(resource, "configPatches")
    ? []
    : secretsIn(machineDocuments(resource)).map(({ path: [, ...path], what }) => ({
        problem: `${resource.name} has ${what} in the clear, in ${path.join(".")} of its patches`,
        advice: "replace the secret, and move the patch into the secret hearth:machinePatches",
        subject: resource.name,
      }));

const nameOf = ({ path, text }: Leaf): string | undefined =>
  materialIn(text) ?? (secretName.test(path) && text !== "" ? `its ${path.split(".").at(-1) ?? path}` : undefined);

const copyOf = ({ text }: Leaf, known: Map<string, string>): string | undefined => {
  const from = words(text).flatMap((word) => known.get(word) ?? [])[0];
  return from === undefined ? undefined : `a secret of ${from}`;
};

/** Caches the words, because each resource is compared with all later ones. */
const found = new WeakMap<Resource, string[]>();

const secretWords = (resource: Resource): string[] => {
  const all =
    found.get(resource) ??
    leaves(resource.inputs)
      .filter(({ path }) => isSecret(resource, path))
      .flatMap(({ text }) => words(text));
  found.set(resource, all);
  return all;
};

/** Returns the words of a text that look like key material: long, with digits and letters of both cases, and no public key. */
const words = (text: string): string[] =>
  text
    .split(/[\s"':,]+/)
    .filter((word) => word.length >= shortest && /\d/.test(word) && /[a-z]/.test(word) && /[A-Z]/.test(word))
    .filter((word) => !word.includes(".") && !word.includes("/") && !word.startsWith("AAAA"));
