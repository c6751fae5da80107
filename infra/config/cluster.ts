import { z } from "zod";

import { auditPolicy, groups, oidc } from "./api-access.ts";
import { says } from "./error.ts";
import { patchesSchema } from "./patches.ts";
import { surroundingsKeys } from "./surroundings.ts";
import { address, cidr, httpsUrl, minor, name, release } from "./values.ts";

/** Where the key of encrypted disks comes from: the machine's own identifier or its TPM. With none, disks are not encrypted. */
export const diskEncryption = z.enum(["none", "nodeID", "tpm"]);

export const sysctls = z.record(
  z.string().regex(/^[\w./-]+$/, says("is not a kernel parameter", "write one such as vm.max_map_count")),
  z.string(says("is not text", 'put it into quotes, such as "262144"')),
);

const podSecurity = z.strictObject({
  /** Pod security standard that applies to pods. @default "restricted" */
  level: z.enum(["privileged", "baseline", "restricted"]).default("restricted"),
  /** Namespaces that the standard does not apply to, in addition to kube-system. */
  exemptNamespaces: z.array(name).default([]),
});

const talosApiAccess = z.strictObject({
  /** Namespaces whose pods may call the Talos API. */
  namespaces: z.array(name).min(1, says("is empty", "name at least one")),
  /** Roles of these pods. @default ["os:etcd:backup"] */
  roles: z
    .array(z.enum(["os:reader", "os:operator", "os:etcd:backup", "os:admin"]))
    .min(1, says("is empty", "name at least one, such as os:etcd:backup"))
    .default(["os:etcd:backup"]),
});

const registryMirror = z.strictObject({
  /** URLs of the mirror, tried in order. */
  endpoints: z
    .array(z.url({ protocol: /^https?$/, error: says("is not a URL", "write one such as https://mirror.example.com") }))
    .min(1, says("is empty", "name at least one")),
  /** Never fall back to the registry itself, even if no mirror answers. @default false */
  skipFallback: z.boolean().default(false),
  /** Use the URLs as they are, without adding /v2. @default false */
  overridePath: z.boolean().default(false),
});

export const clusterSchema = z.strictObject({
  /**
   * Name of the cluster, `<site>-<env>`: the first part of its nodes' names, and its context in kubeconfig.
   * @example "den-dev"
   */
  name,
  /** URL of the Kubernetes API that nodes and people use. @example "https://10.20.0.10:6443" */
  endpoint: httpsUrl("https://10.20.0.10:6443"),
  /** Address that the control planes share. @example "10.20.0.10" */
  vip: address.optional(),
  /** Release of Talos that machines install. @example "v1.13.9" */
  talos: release,
  /** Release of Kubernetes. @example "v1.36.4" */
  kubernetes: release,
  /** Talos minor that the cluster was created with. It never changes. @example "v1.13" */
  contract: minor,
  /** Address range of pods. Every node gets a /24 of it. @example "10.244.0.0/16" */
  podCidr: cidr,
  /** Address range of Services. @example "10.96.0.0/12" */
  serviceCidr: cidr,
  /** Whether control planes run workloads too. @default true when there are no workers */
  scheduleOnControlPlanes: z.boolean().optional(),
  /** Additional names and addresses for the certificates of the Talos and Kubernetes APIs. */
  certSANs: z.array(z.string()).default([]),
  /**
   * Who signs the certificates that kubelets serve with: each its own, or the cluster. With `cluster`, metrics-server verifies them, and the
   * tree needs security/kubelet-csr-approver, without which kubelets serve neither logs nor metrics.
   *
   * @default "self"
   */
  kubeletCertificates: z.enum(["self", "cluster"]).default("self"),
  /** Pod security standard that the API server enforces. */
  podSecurity: podSecurity.prefault({}),
  /** How much of each request the audit log records. @default what Talos sets, Metadata */
  auditLevel: z.enum(["None", "Metadata", "Request", "RequestResponse"]).optional(),
  /** Rules of the audit log, in place of one level for all requests. @default none */
  auditPolicy: auditPolicy.optional(),
  /** Sign-in of people at the Kubernetes API by an OpenID Connect provider. @default none */
  oidc: oidc.optional(),
  /**
   * Groups of people who get certificates of their own from `npx hearth access`, with the role of each in the whole cluster.
   *
   * @example {"admins":"cluster-admin","family":"view"}
   */
  groups: groups.default({}),
  /** Where the key of machines' disks comes from. @default "none" */
  diskEncryption: diskEncryption.default("none"),
  /**
   * Volumes whose key is in a TPM get a second key, which the escrow holds. Without it, a machine whose TPM, mainboard or SecureBoot keys
   * change loses what is on its disks: etcd, local volumes and user volumes. A running machine gets or loses it at its next restart.
   *
   * @default true
   */
  diskRecoveryKey: z.boolean().default(true),
  /** Machines boot signed images only. A deployment sets one of metal up anew that was installed without it. @default false */
  secureBoot: z.boolean().default(false),
  /** Pods that may call the Talos API, such as a backup of etcd. */
  talosApiAccess: talosApiAccess.optional(),
  /** CoreDNS forwards to the machine's own resolver. With Cilium's BPF masquerading that needs bpf.hostLegacyRouting. @default false */
  forwardDnsToHost: z.boolean().default(false),
  /** Machines find each other through Talos's discovery service on the Internet. @default true */
  discovery: z.boolean().default(true),
  /** Mirrors of image registries, by registry, such as docker.io. */
  registryMirrors: z.record(z.string(), registryMirror).default({}),
  ...surroundingsKeys,
  /** Kernel parameters of all machines. */
  sysctls: sysctls.default({}),
  /** Free-form patches of the machine configuration. */
  patches: patchesSchema.prefault({}),
});
