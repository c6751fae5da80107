import { withoutUndefined } from "./document.ts";

/** Settings of the API server. */
export interface ApiServerSettings {
  podSecurity: PodSecurity;
  /** How much of each request the audit log records. @default Metadata, which Talos sets */
  auditLevel?: AuditLevel | undefined;
  /** Rules of the audit log, in place of one level for all requests. */
  auditPolicy?: Record<string, unknown>[] | undefined;
  oidc?: Oidc | undefined;
}

/** Sign-in of people by an OpenID Connect provider. */
export interface Oidc {
  /** URL of the provider, as its tokens name it. */
  issuer: string;
  clientId: string;
  usernameClaim: string;
  groupsClaim: string;
  /** What Kubernetes puts before names and groups of the provider. */
  prefix: string;
  /** Claims that a token has to have. */
  requiredClaims: Record<string, string>;
}

export type AuditLevel = "None" | "Metadata" | "Request" | "RequestResponse";

/** The pod security standard that applies to every namespace that is not exempt. */
export interface PodSecurity {
  level: "privileged" | "baseline" | "restricted";
  /** Namespaces that the standard does not apply to. */
  exemptNamespaces: string[];
}

/** The cluster section's API server. */
export const apiServerSection = (
  { podSecurity, auditLevel, auditPolicy = auditLevel && [{ level: auditLevel }], oidc }: ApiServerSettings,
  certSANs: string[],
) => ({
  apiServer: {
    certSANs,
    admissionControl: [{ name: "PodSecurity", configuration: podSecurityConfiguration(podSecurity) }],
    ...(auditPolicy && {
      auditPolicy: { apiVersion: "audit.k8s.io/v1", kind: "Policy", rules: auditPolicy.map(withoutUndefined) },
    }),
    ...(oidc && { extraArgs: oidcArguments(oidc) }),
  },
});

const oidcArguments = ({ issuer, clientId, usernameClaim, groupsClaim, prefix, requiredClaims }: Oidc) => ({
  "oidc-issuer-url": issuer,
  "oidc-client-id": clientId,
  "oidc-username-claim": usernameClaim,
  "oidc-username-prefix": prefix,
  "oidc-groups-claim": groupsClaim,
  "oidc-groups-prefix": prefix,
  ...(Object.keys(requiredClaims).length > 0 && {
    "oidc-required-claim": Object.entries(requiredClaims)
      .map((claim) => claim.join("="))
      .join(","),
  }),
});

/** Talos itself exempts kube-system, and merging a patch appends to lists. */
const podSecurityConfiguration = ({ level, exemptNamespaces }: PodSecurity) => ({
  apiVersion: "pod-security.admission.config.k8s.io/v1",
  kind: "PodSecurityConfiguration",
  defaults: {
    enforce: level,
    "enforce-version": "latest",
    audit: level,
    "audit-version": "latest",
    warn: level,
    "warn-version": "latest",
  },
  ...(exemptNamespaces.length > 0 && {
    exemptions: { namespaces: exemptNamespaces.filter((namespace) => namespace !== "kube-system") },
  }),
});
