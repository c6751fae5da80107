import { isSecret, leaves, type Leaf, type Resource } from "../resource.ts";
import type { Finding, Rule } from "../rule.ts";

/** What key material looks like, by what it is called. None of them is secret in the lab and open in the world. */
const materials: [name: string, pattern: RegExp][] = [
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ["an age identity", /AGE-SECRET-KEY-1[A-Z0-9]{20,}/],
  ["a GitHub token", /\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})/],
  ["an AWS access key", /\b(AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["a Proxmox API token", /\b[\w.-]+@(pve|pam|pmx)![\w.-]+=[0-9a-f-]{36}\b/],
  ["a kubeconfig's key", /client-key-data: ?\S{20,}/],
  ["a Talos secret", /\b(secretboxEncryptionSecret|aescbcEncryptionSecret|bootstraptoken): ?\S{10,}/i],
  ["a JSON Web Token", /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/],
];

/** Names of inputs that hold secrets, whatever the resource. */
const secretName =
  /(^|\.)(password|passphrase|apiToken|token|privateKey|clientKey|secretKey|sshPrivateKey|tunnelSecret|clientSecret)$/i;

/** Words of secrets this long, in characters, are looked for in what is not secret. */
const shortest = 20;

/** Nothing secret lies open in the state, in a preview or in a log. */
export const secretInputs: Rule = {
  name: "secret-inputs",
  description: "No secret is an input in the clear.",
  check: (resource, stack) => {
    const open = leaves(resource.inputs).filter(({ path }) => !isSecret(resource, path));
    const known = new Map(
      [...stack.earlier(resource), resource].flatMap((each) => secretWords(each).map((word) => [word, each.name])),
    );
    return open.flatMap((leaf): Finding[] => {
      const what = nameOf(leaf) ?? copyOf(leaf, known);
      if (what === undefined) return [];
      return [
        {
          problem: `${resource.name} has ${what} in the clear, in its input ${leaf.path}`,
          advice: "wrap it with pulumi.secret where it is made, and make it another one if it was ever deployed",
          subject: resource.name,
        },
      ];
    });
  },
};

const nameOf = ({ path, text }: Leaf): string | undefined =>
  materials.find(([, pattern]) => pattern.test(text))?.[0] ??
  (secretName.test(path) && text !== "" ? `its ${path.split(".").at(-1) ?? path}` : undefined);

const copyOf = ({ text }: Leaf, known: Map<string, string>): string | undefined => {
  const from = words(text).flatMap((word) => known.get(word) ?? [])[0];
  return from === undefined ? undefined : `a secret of ${from}`;
};

/** Each resource is compared with all that come after it. */
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

/** The words of a text that look like key material: long, of letters of both cases and digits, and no public key. */
const words = (text: string): string[] =>
  text
    .split(/[\s"':,]+/)
    .filter((word) => word.length >= shortest && /\d/.test(word) && /[a-z]/.test(word) && /[A-Z]/.test(word))
    .filter((word) => !word.includes(".") && !word.includes("/") && !word.startsWith("AAAA"));
