import { z } from "zod";

import { says } from "./error.ts";
import { httpsUrl } from "./values.ts";

/** Kubernetes has groups and users of its own under `system:`, which no provider may name. */
const prefix = z
  .string()
  .regex(/^[a-z][a-z0-9-]*:$/, says("is not a prefix", "end it with a colon, such as oidc:"))
  .refine((text) => text !== "system:", says("is Kubernetes's own", "use another, such as oidc:"));

const claim = z.string().regex(/^[\w.:/-]+$/, says("is not the name of a claim", "write one such as groups"));

const role = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.:-]*[a-z0-9])?$/, says("is not the name of a role", "write one such as view or admin"));

/** Groups of people with their cluster roles. The names become part of the names of Kubernetes's objects. */
export const groups = z.record(
  z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/, says("is not the name of a group", "write one such as admins")),
  role,
);

/** Sign-in at the Kubernetes API. Source: Kubernetes v1.36.4, the flags --oidc-* of kube-apiserver. */
export const oidc = z.strictObject({
  /** URL of the provider, as its tokens name it. @example "https://id.example.com/realms/home" */
  issuer: httpsUrl("https://id.example.com/realms/home").refine(
    (url) => new URL(url).search === "" && !url.includes("#"),
    says("has more than a path", "write the issuer as the provider's tokens name it"),
  ),
  /** Client that tokens have to be for. @example "kubernetes" */
  clientId: z.string().min(1, says("is empty", "write the client's name, such as kubernetes")),
  /** Claim with a person's name. @default "sub" */
  usernameClaim: claim.default("sub"),
  /** Claim with a person's groups. @default "groups" */
  groupsClaim: claim.default("groups"),
  /** What Kubernetes puts before names and groups, so that they are nobody else's. @default "oidc:" */
  prefix: prefix.default("oidc:"),
  /** Claims that a token has to have, with their values. */
  requiredClaims: z.record(claim, z.string()).default({}),
  /** Cluster roles of the provider's groups, in the whole cluster. @example {"admins":"cluster-admin","family":"view"} */
  groups: z.record(z.string().min(1), role).default({}),
});

const level = z.enum(["None", "Metadata", "Request", "RequestResponse"]);

/** Source: Kubernetes v1.36.4, the type PolicyRule of audit.k8s.io/v1. */
const auditRule = z
  .strictObject({
    /** How much of a matching request is recorded. */
    level,
    /** Users. @default all */
    users: z.array(z.string()).optional(),
    /** Groups of users. @default all */
    userGroups: z.array(z.string()).optional(),
    /** Verbs. @default all @example ["get", "list", "watch"] */
    verbs: z.array(z.string()).optional(),
    /** Resources. @default all */
    resources: z
      .array(
        z.strictObject({
          /** API group; empty for the core group. @default "" */
          group: z.string().optional(),
          /** Resources, or resources with a subresource. @default all of the group @example ["secrets", "pods/log"] */
          resources: z.array(z.string()).optional(),
          /** Names of objects. @default all */
          resourceNames: z.array(z.string()).optional(),
        }),
      )
      .optional(),
    /** Namespaces. @default all */
    namespaces: z.array(z.string()).optional(),
    /** Paths that are no resources. @example ["/healthz*"] */
    nonResourceURLs: z.array(z.string()).optional(),
    /** Stages that are not recorded. */
    omitStages: z.array(z.enum(["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"])).optional(),
  })
  .refine(({ resources, namespaces, nonResourceURLs }) => !nonResourceURLs || !(resources ?? namespaces), {
    error: says("is about resources and about paths that are none", "make two rules of it"),
  });

/** Rules of the audit log. The first that matches a request decides. */
export const auditPolicy = z
  .array(auditRule)
  .min(1, says("is empty", "list at least one rule, such as level: Metadata"));
