/** What the API server lets pods be, and what it writes down. */
export interface ApiServerSettings {
  podSecurity: PodSecurity;
  /** How much of every request goes to the audit log. @default Metadata, which Talos sets */
  auditLevel?: AuditLevel | undefined;
}

export type AuditLevel = "None" | "Metadata" | "Request" | "RequestResponse";

/** The pod security standard that every namespace is held to unless it is exempt. */
export interface PodSecurity {
  level: "privileged" | "baseline" | "restricted";
  /** Namespaces that it does not hold for. */
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

/** Talos itself exempts kube-system, and lists are merged by adding. */
const podSecurityConfiguration = ({ level, exemptNamespaces }: PodSecurity) => ({
  apiVersion: "pod-security.admission.config.k8s.io/v1",
  kind: "PodSecurityConfiguration",
  defaults: {
    ...{ enforce: level, "enforce-version": "latest" },
    ...{ audit: level, "audit-version": "latest" },
    ...{ warn: level, "warn-version": "latest" },
  },
  ...(exemptNamespaces.length > 0 && {
    exemptions: { namespaces: exemptNamespaces.filter((namespace) => namespace !== "kube-system") },
  }),
});
