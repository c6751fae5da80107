import { generateKeyPairSync, randomBytes, X509Certificate, type KeyObject } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { parse, stringify } from "yaml";

import { bindingOf, groupInCluster } from "../../infra/access.ts";
import type { Kubernetes } from "../../lib/cluster/kubernetes.ts";
import { certificateRequest } from "../../lib/secrets/certificate-request.ts";
import { Problem } from "../../toolchain/problem.ts";

/** Who a kubeconfig is for, and what its certificate lets them do. */
export interface Person {
  /** Name of the person. The user is `hearth:NAME` in Kubernetes. */
  name: string;
  /** Groups of `cluster.groups`. */
  groups: string[];
}

/** The parts of the API that issuing needs. */
export type Api = Pick<Kubernetes, "create" | "get" | "merge" | "delete">;

const requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";

/** The shortest time, in seconds. Source: Kubernetes v1.36.4, pkg/apis/certificates/validation/validation.go. */
const least = 600;

/** The most characters of a common name. Source: RFC 5280, ub-common-name. */
const mostCharacters = 64;

/** Checks who somebody is against the stack's groups. */
export const personOf = (name: string, groups: string[], roles: Record<string, string>): Person => {
  if (!/^[a-z0-9]([a-z0-9.@_-]*[a-z0-9])?$/.test(name) || groupInCluster(name).length > mostCharacters)
    throw new Problem(`--person ${name} is not a name: write one such as anna or anna@example.com`);
  const known = Object.keys(roles);
  if (known.length === 0)
    throw new Problem("The stack has no groups of people: add cluster.groups, such as { admins: cluster-admin }");
  const listed = known.join(", ");
  if (groups.length === 0) throw new Problem(`${name} needs a group: write --group with one of ${listed}`);
  const unknown = groups.find((group) => !(group in roles));
  if (unknown !== undefined)
    throw new Problem(`--group ${unknown} is not in cluster.groups: add it there with its role, or write ${listed}`);
  return { name, groups: [...new Set(groups)] };
};

export interface Order {
  person: Person;
  /** Cluster roles of the stack's groups. */
  roles: Record<string, string>;
  /** Name of the cluster. */
  cluster: string;
  /** The administrator's kubeconfig, which says where the API is and who certifies it. */
  kubeconfig: string;
  /** How long the certificate is valid, in seconds. */
  lifetime: number;
  api: Api;
  /** How long Kubernetes may take to sign, in milliseconds. @default 30 s */
  timeout?: number;
}

/** A kubeconfig, and when its certificate ends. */
export interface Issued {
  text: string;
  until: Date;
}

/**
 * Has Kubernetes issue a certificate of a person, and returns a kubeconfig with it.
 *
 * The key is made here and leaves this computer in the kubeconfig only. Kubernetes signs no certificate of `system:masters` this way
 * (v1.36.4, plugin/pkg/admission/certificates/subjectrestriction), and the groups get their roles from bindings, so a role can be taken back.
 */
export const issueKubeconfig = async (order: Order): Promise<Issued> => {
  const { person, lifetime } = order;
  if (lifetime < least)
    throw new Problem("Kubernetes issues no certificate for less than ten minutes: write --for 10m");
  await requireBindings(order);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = await certify(order, privateKey);
  requireOwn(certificate, person, privateKey);
  return { text: kubeconfigOf(order, certificate, privateKey), until: new Date(certificate.validTo) };
};

/** A group without its binding would be a certificate that may do nothing. */
const requireBindings = async ({ api, person, roles }: Order): Promise<void> => {
  for (const group of person.groups) {
    const role = roles[group] ?? "";
    if ((await api.get(`${bindings}/${bindingOf(group, role)}`)) === undefined)
      throw new Problem(
        `${group} does not have its role ${role} in the cluster yet: run npx hearth deploy, then this again`,
      );
  }
};

interface Request {
  status?: { certificate?: string; conditions?: { type: string; message?: string }[] };
}

/** Requests a certificate, approves the request, waits for the certificate, and deletes the request. */
const certify = async (
  { api, person, lifetime, timeout = 30_000 }: Order,
  key: KeyObject,
): Promise<X509Certificate> => {
  const name = `hearth-access-${randomBytes(6).toString("hex")}`;
  const request = certificateRequest(
    { commonName: groupInCluster(person.name), organizations: person.groups.map(groupInCluster) },
    key,
  );
  await api.create(requests, {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name },
    spec: {
      request: Buffer.from(request).toString("base64"),
      signerName: "kubernetes.io/kube-apiserver-client",
      expirationSeconds: lifetime,
      usages: ["digital signature", "client auth"],
    },
  });
  try {
    const approval = {
      type: "Approved",
      status: "True",
      reason: "HearthAccess",
      message: `npx hearth access issued it for ${person.name}`,
    };
    await api.merge(`${requests}/${name}/approval`, { status: { conditions: [approval] } });
    return new X509Certificate(await signed(api, name, Date.now() + timeout));
  } finally {
    await api.delete(`${requests}/${name}`);
  }
};

const signed = async (api: Api, name: string, deadline: number): Promise<Buffer> => {
  for (;;) {
    const { status } = (await api.get<Request>(`${requests}/${name}`)) ?? {};
    if (status?.certificate) return Buffer.from(status.certificate, "base64");
    const failed = status?.conditions?.find(({ type }) => type === "Failed" || type === "Denied");
    if (failed) throw new Problem(`Kubernetes does not sign the certificate: ${failed.message ?? failed.type}`);
    if (Date.now() > deadline)
      throw new Problem(
        "Kubernetes has not signed the certificate: look at the pods of kube-controller-manager in kube-system, then run this again",
      );
    await sleep(250);
  }
};

/** Proves that the certificate is what was asked for: another's would sign its bearer in as somebody else. */
const requireOwn = (certificate: X509Certificate, { name, groups }: Person, key: KeyObject): void => {
  const expected = [...groups.map((group) => `O=${groupInCluster(group)}`), `CN=${groupInCluster(name)}`];
  const found = certificate.subject.split("\n");
  if (!certificate.checkPrivateKey(key) || found.sort().join() !== expected.sort().join())
    throw new Problem("Kubernetes signed another certificate than the one that was requested: it is not used");
};

const kubeconfigOf = ({ kubeconfig, cluster, person }: Order, certificate: X509Certificate, key: KeyObject): string => {
  const { clusters } = parse(kubeconfig) as { clusters: [{ cluster: object }] };
  const context = `${person.name}@${cluster}`;
  const pem = key.export({ type: "pkcs8", format: "pem" });
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: cluster, cluster: clusters[0].cluster }],
    users: [
      {
        name: context,
        user: {
          "client-certificate-data": Buffer.from(certificate.toString()).toString("base64"),
          "client-key-data": Buffer.from(pem).toString("base64"),
        },
      },
    ],
    contexts: [{ name: context, context: { cluster, user: context } }],
    "current-context": context,
  });
};
