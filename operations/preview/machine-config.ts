import { parseAllDocuments, stringify } from "yaml";

import { secretIn } from "../../components/secrets/looks-secret.ts";
import type { Fingerprints } from "./fingerprints.ts";

/** The machine configuration of a node, as documents. */
export type MachineDocument = Record<string, unknown>;

/** What a machine's configuration is made of. */
export interface MachineConfig {
  /** All of it, with keys; undefined where it is not known yet. */
  whole: string | undefined;
  /** The patches in it that carry no keys. */
  patches: string[];
}

/** Reads a multi-document configuration. Talos's own comments are of no account. */
export const documentsOf = (text: string): MachineDocument[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as MachineDocument | null)
    .filter((document) => document !== null);

/**
 * A machine's configuration as it may be shown: every value stands as it is where it is known to be no secret, and as a
 * fingerprint everywhere else.
 *
 * No secret are the values of patches that Hearth gives in the clear, save what looks or is called like one, and those that Talos generates at places where only
 * settings stand. Whatever else there is, in documents that nobody here has heard of too, is taken for one.
 */
export const shownConfig = ({ whole, patches }: MachineConfig, fingerprints: Fingerprints): string => {
  const clear = patches.flatMap(documentsOf);
  const told = new Set(clear.flatMap((document) => leaves(document, identityOf(document), "")));
  const documents = whole === undefined ? clear : documentsOf(whole);
  return documents
    .map((document) => {
      const identity = identityOf(document);
      const isKnown = (path: string, value: unknown) =>
        !looksSecret(path, value) && (told.has(leaf(identity, path, value)) || isSetting(identity, path, value));
      return stringify(redacted(document, "", isKnown, fingerprints), { lineWidth: 0 });
    })
    .join("---\n");
};

/** A secret that somebody has put into a patch in the clear. It was shown once; it is not shown again here. */
const looksSecret = (path: string, value: unknown): boolean =>
  typeof value === "string" && secretIn(path.split(".").at(-1) ?? "", value) !== undefined;

/** Which document of a configuration it is. The one without a kind has the sections `machine` and `cluster`. */
export const identityOf = (document: MachineDocument): string =>
  typeof document.kind === "string" ? `${document.kind}/${typeof document.name === "string" ? document.name : ""}` : "";

const redacted = (
  value: unknown,
  path: string,
  isKnown: (path: string, value: unknown) => boolean,
  fingerprints: Fingerprints,
): unknown => {
  if (Array.isArray(value)) return value.map((each) => redacted(each, path, isKnown, fingerprints));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, redacted(inner, `${path}.${key}`, isKnown, fingerprints)]),
    );
  }
  return isKnown(path, value) ? value : fingerprints.print(scalar(value));
};

/** A place and what stands there. Places in lists are not told apart, for Talos appends one list to another. */
const leaf = (identity: string, path: string, value: unknown): string => `${identity}${path}=${JSON.stringify(value)}`;

const leaves = (value: unknown, identity: string, path: string): string[] => {
  if (Array.isArray(value)) return value.flatMap((each) => leaves(each, identity, path));
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) => leaves(inner, identity, `${path}.${key}`));
  }
  return [leaf(identity, path, value)];
};

const scalar = (value: unknown): string | number | boolean | null =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;

/** A value that says yes, no or nothing gives no key away. */
const isSetting = (identity: string, path: string, value: unknown): boolean =>
  value === null ||
  value === "" ||
  typeof value === "boolean" ||
  (identity === "" ? settings : settingsOfKinds).some(
    ([place, shape]) => place.test(path) && shape.test(JSON.stringify(value).replaceAll(/^"|"$/g, "")),
  );

const image = /^(ghcr\.io\/siderolabs|registry\.k8s\.io|gcr\.io|docker\.io)\/[\w./-]+:v[\w.-]+$/;
const word = /^[A-Za-z][A-Za-z-]{0,30}$/;
const cidr = /^[\d.:a-f]+\/\d{1,3}$/;

/** What stands in every document that has a kind, and what Talos adds to one. */
const settingsOfKinds: [place: RegExp, shape: RegExp][] = [
  [/^\.apiVersion$/, /^v\d+(alpha|beta)?\d*$/],
  [/^\.kind$/, word],
  [/^\.auto$/, /^(stable|off)$/],
];

/** What Talos generates, and what it looks like. Source: siderolabs/talos, pkg/machinery/config/generate, 1.12 and 1.13. */
const settings: [place: RegExp, shape: RegExp][] = [
  [/^\.version$/, /^v1(alpha|beta)?\d*$/],
  [/^\.machine\.type$/, /^(controlplane|worker|init)$/],
  [/^\.machine\.kubelet\.image$/, image],
  [/^\.machine\.install\.(disk|image)$/, /^(\/dev\/[\w/-]+|[\w./-]+\/[\w./-]*installer[\w./-]*:v[\w.-]+)$/],
  [/^\.machine\.features\.kubePrism\.port$/, /^\d{1,5}$/],
  [/^\.machine\.features\.kubernetesTalosAPIAccess\.allowed(Roles|KubernetesNamespaces)$/, /^[a-z:-]{1,40}$/],
  [/^\.machine\.nodeLabels\.node\.kubernetes\.io\/exclude-from-external-load-balancers$/, /^$/],
  [/^\.cluster\.controlPlane\.endpoint$/, /^https:\/\/[\w.:-]+$/],
  [/^\.cluster\.clusterName$/, /^[a-z0-9][a-z0-9-]{0,62}$/],
  [/^\.cluster\.network\.dnsDomain$/, /^[a-z0-9.-]{1,100}$/],
  [/^\.cluster\.network\.(podSubnets|serviceSubnets)$/, cidr],
  [/^\.cluster\.network\.cni\.name$/, word],
  [/^\.cluster\.(apiServer|controllerManager|scheduler|proxy)\.image$/, image],
  [/^\.cluster\.apiServer\.certSANs$/, /^([a-z0-9-]+\.)*[a-z0-9-]{1,63}$/],
  [/^\.cluster\.apiServer\.(admissionControl|auditPolicy)\./, /^[A-Za-z][\w./-]{0,60}$|^v\d+(alpha|beta)?\d*$/],
];
