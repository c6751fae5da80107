/** Settings of the API server. */
export interface ApiServerSettings {
  podSecurity: PodSecurity;
  /** How much of each request the audit log records. @default Metadata, which Talos sets */
  auditLevel?: AuditLevel | undefined;
}

export type AuditLevel = "None" | "Metadata" | "Request" | "RequestResponse";

/** The pod security standard that applies to every namespace that is not exempt. */
export interface PodSecurity {
  level: "privileged" | "baseline" | "restricted";
  /** Namespaces that the standard does not apply to. */
  exemptNamespaces: string[];
}

/** The cluster section's API server. */
export const apiServerSection = ({ podSecurity, auditLevel }: ApiServerSettings, certSANs: string[]) => ({
  apiServer: {
    certSANs,
    admissionControl: [{ name: "PodSecurity", configuration: podSecurityConfiguration(podSecurity) }],
    ...(auditLevel && {
      auditPolicy: { apiVersion: "audit.k8s.io/v1", kind: "Policy", rules: [{ level: auditLevel }] },
    }),
  },
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
