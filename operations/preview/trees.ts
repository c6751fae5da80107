import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { isScalar, parseAllDocuments, visit } from "yaml";

import { examineStackFile, readStackFile } from "../../infra/config/stack-file.ts";
import { explain } from "../../toolchain/problem.ts";
import { describeFinding } from "../../lib/tree/check.ts";
import { renderTree, type RenderedCluster } from "../../lib/tree/render.ts";
import type { Git } from "./git.ts";
import type { TreeObject } from "./tree-changes.ts";

/** The tree before and after, or the reason why it could not be rendered. */
export interface Trees {
  /** Commit that the tree is compared with. */
  mergeBase: string | undefined;
  base: TreeObject[] | undefined;
  head: TreeObject[] | undefined;
  problems: string[];
  unknown: string[];
}

/**
 * Renders a cluster's tree as it is checked out, and as it was where the checkout branched off.
 *
 * A cluster whose branch is moved by promotions has what that branch has, whatever the change is made to.
 *
 * @param base name of the base branch that a person asks for; the stack's own unless they do
 * @param data the commit that the checkout's data is from, which is compared with where it branched off
 */
export const treesOf = async (
  root: string,
  stack: string,
  git: Git,
  { base: asked, data }: { base?: string | undefined; data?: string | undefined } = {},
): Promise<Trees> => {
  const { engine, own, isPromoted } = gitopsOf(root, stack);
  const branch = asked ?? (isPromoted ? undefined : data);
  const mergeBase = await git.mergeBase(branch === undefined ? [`origin/${own}`, own] : [branch]);
  const none = { mergeBase, base: undefined, head: undefined, problems: [] };
  if (engine === "argocd")
    return { ...none, unknown: ["how the tree changes: Argo CD renders it, and nothing here does"] };
  const [head, base] = await Promise.all([
    attempt(() => render(root, stack)),
    mergeBase === undefined
      ? `there is no commit that it shares with ${branch ?? own}`
      : attempt(() => git.withCheckout(mergeBase, (folder) => render(folder, stack))),
  ]);
  if (typeof head === "string") return { ...none, problems: [head], unknown: [unrendered] };
  // Objects that could not be rendered would look removed.
  if (head.findings.length > 0) return { ...none, problems: head.findings, unknown: [unrendered] };
  return {
    mergeBase,
    base: typeof base === "string" ? undefined : base.objects,
    head: head.objects,
    problems: [],
    unknown: typeof base === "string" ? [`how the tree changes, since what it was cannot be rendered: ${base}`] : [],
  };
};

const unrendered = "how the tree changes: it cannot be rendered";

/** Reads what it can of the stack file. Rendering reports what is wrong in it. */
const gitopsOf = (root: string, stack: string): { engine: string; own: string; isPromoted: boolean } => {
  const usual = { engine: "flux", own: "main", isPromoted: false };
  try {
    const { config } = examineStackFile(readStackFile(root, stack));
    if (config === undefined) return usual;
    const { engine, branch, promotion } = config.gitops;
    return { engine, own: branch, isPromoted: promotion !== undefined };
  } catch {
    return usual;
  }
};

const attempt = async <T>(work: () => Promise<T>): Promise<T | string> => {
  try {
    return await work();
  } catch (error) {
    return explain(error);
  }
};

const render = async (checkout: string, stack: string): Promise<{ objects: TreeObject[]; findings: string[] }> => {
  const { objects, findings } = await renderTree(checkout, stack);
  return {
    objects: await Promise.all(objects.map((each) => withEncrypted(checkout, each))),
    findings: findings.map(describeFinding),
  };
};

/** Adds encrypted values from the files. A rendered object has placeholders, so only its file shows whether they changed. */
const withEncrypted = async (
  checkout: string,
  { encrypted, ...object }: RenderedCluster["objects"][number],
): Promise<TreeObject> =>
  encrypted
    ? { ...object, encrypted: encryptedIn(await readFile(join(checkout, object.file), "utf8"), object) }
    : object;

/**
 * Returns the encrypted values of an object in a SOPS file, by their paths.
 *
 * SOPS keeps the ciphertext of values that were not edited. A new ciphertext is a new value, or a file that was encrypted again.
 */
export const encryptedIn = (text: string, { kind, name }: { kind: string; name: string }): Record<string, string> => {
  const found: Record<string, string> = {};
  for (const document of parseAllDocuments(text)) {
    const { kind: itsKind, metadata } = (document.toJS() ?? {}) as { kind?: string; metadata?: { name?: string } };
    if (itsKind !== kind || metadata?.name !== name) continue;
    visit(document, {
      Pair: (_, { key }) => (isScalar(key) && key.value === "sops" ? visit.SKIP : undefined),
      Scalar: (_, { value }, path) => {
        if (typeof value !== "string" || !value.startsWith("ENC[")) return;
        const keys = path.flatMap((node) => ("key" in node && isScalar(node.key) ? [String(node.key.value)] : []));
        found[keys.join(".")] = value;
      },
    });
  }
  return found;
};
