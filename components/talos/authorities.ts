import { X509Certificate } from "node:crypto";

import type { MachineSecrets } from "@pulumi/talos";

/** A certificate authority of a cluster that expires soon. */
export interface EndingAuthority {
  /** Name of the authority, such as `Kubernetes`. */
  of: string;
  /** Date of expiry, such as `2036-11-18`. */
  ends: string;
  /** Whole days until then. Negative after expiry. */
  days: number;
}

const day = 24 * 60 * 60_000;

/** How many days before expiry to warn. Replacing an authority takes several steps on every machine. */
export const notice = 365;

/** The authorities among a cluster's root secrets that expire within {@link notice}. Invalid certificates are skipped. */
export const endingAuthorities = ({ certs }: Pick<MachineSecrets, "certs">, now: Date): EndingAuthority[] =>
  Object.entries({ Talos: certs.os, Kubernetes: certs.k8s, etcd: certs.etcd, "API aggregation": certs.k8sAggregator })
    .flatMap(([of, { cert }]) => {
      const end = endOf(Buffer.from(cert, "base64"));
      return end
        ? [{ of, ends: end.toISOString().slice(0, 10), days: Math.floor((end.getTime() - now.getTime()) / day) }]
        : [];
    })
    .filter(({ days }) => days < notice);

const endOf = (pem: Buffer): Date | undefined => {
  try {
    return new Date(new X509Certificate(pem).validTo);
  } catch {
    return undefined;
  }
};
