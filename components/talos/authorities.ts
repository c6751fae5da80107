import { X509Certificate } from "node:crypto";

import type { MachineSecrets } from "@pulumi/talos";

/** A certificate authority of a cluster that does not last much longer. */
export interface EndingAuthority {
  /** Whose it is, as `Kubernetes`. */
  of: string;
  /** The day on which it ends, as `2036-11-18`. */
  ends: string;
  /** Whole days until then; less than zero where it has ended. */
  days: number;
}

const day = 24 * 60 * 60_000;

/** How long before its end an authority is told of, in days: it is replaced in several steps, on every machine. */
export const notice = 365;

/** The authorities among a cluster's root secrets that end within {@link notice}. What is no certificate is left out. */
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
