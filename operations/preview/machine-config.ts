import { stringify } from "yaml";

import { secretIn } from "../../components/secrets/looks-secret.ts";
import { documentsIn, type MachineDocument } from "../../components/talos/documents-in.ts";
import type { Fingerprints } from "./fingerprints.ts";

/** The parts of a machine's configuration. */
export interface MachineConfig {
  /** The whole configuration, with keys; undefined if it is not known yet. */
  whole: string | undefined;
  /** The patches in it that contain no keys. */
  patches: string[];
}

/**
 * Returns a machine's configuration as it may be shown. Values that are known not to be secret are shown; all others
 * become fingerprints.
 *
 * Two kinds of values are not secret: those of patches that Hearth gives in the clear, unless they look like a secret or are
 * named like one, and those that Talos generates in positions that hold only settings. Everything else counts as a secret,
 * also in documents that Hearth does not know.
 */
export const shownConfig = ({ whole, patches }: MachineConfig, fingerprints: Fingerprints): string => {
  const clear = patches.flatMap(documentsIn);
  const told = new Set(clear.flatMap((document) => leaves(document, identityOf(document), "")));
  const documents = whole === undefined ? clear : documentsIn(whole);
  return documents
    .map((document) => {
      const identity = identityOf(document);
      const isKnown = (path: string, value: unknown) =>
        !looksSecret(path, value) && (told.has(leaf(identity, path, value)) || isSetting(identity, path, value));
      return stringify(redacted(document, "", isKnown, fingerprints), { lineWidth: 0 });
    })
    .join("---\n");
};

/** Finds a secret in a patch that is in the clear. The patch already reveals it; the report must not repeat it. */
const looksSecret = (path: string, value: unknown): boolean =>
  typeof value === "string" && secretIn(path.split(".").at(-1) ?? "", value) !== undefined;

/** Identifies a document of a configuration. The one without a kind has the sections `machine` and `cluster`. */
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

/** A path and its value. Positions in lists are not distinguished, because Talos appends one list to another. */
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

/** Booleans and null reveal no key. */
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

/** What every document with a kind contains, and what Talos adds to one. */
const settingsOfKinds: [place: RegExp, shape: RegExp][] = [
  [/^\.apiVersion$/, /^v\d+(alpha|beta)?\d*$/],
  [/^\.kind$/, word],
  [/^\.auto$/, /^(stable|off)$/],
];

/** What Talos generates, and its form. Source: siderolabs/talos, pkg/machinery/config/generate, 1.12 and 1.13. */
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
