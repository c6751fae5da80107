import type { Certificate, MachineSecrets } from "@pulumi/talos";

/** A certificate and its key as Talos writes them, each as base64-encoded PEM. */
export interface BundleCertificate {
  crt: string;
  key: string;
}

/**
 * The root secrets of a cluster, as `talosctl gen secrets` writes them and `talosctl gen config --with-secrets` reads them.
 *
 * Source: siderolabs/talos, pkg/machinery/config/generate/secrets, Bundle.
 */
export interface SecretsBundle {
  cluster: { id: string; secret: string };
  secrets: { bootstraptoken: string; secretboxencryptionsecret: string; aescbcencryptionsecret?: string | undefined };
  trustdinfo: { token: string };
  certs: {
    etcd: BundleCertificate;
    k8s: BundleCertificate;
    k8saggregator: BundleCertificate;
    k8sserviceaccount: { key: string };
    os: BundleCertificate;
  };
}

/** Converts from the Talos plugin's form to talosctl's. */
export const toBundle = ({ cluster, secrets, trustdinfo, certs }: MachineSecrets): SecretsBundle => ({
  cluster: { id: cluster.id, secret: cluster.secret },
  secrets: {
    bootstraptoken: secrets.bootstrapToken,
    secretboxencryptionsecret: secrets.secretboxEncryptionSecret,
    ...(secrets.aescbcEncryptionSecret && { aescbcencryptionsecret: secrets.aescbcEncryptionSecret }),
  },
  trustdinfo: { token: trustdinfo.token },
  certs: {
    etcd: toBundleCertificate(certs.etcd),
    k8s: toBundleCertificate(certs.k8s),
    k8saggregator: toBundleCertificate(certs.k8sAggregator),
    k8sserviceaccount: { key: certs.k8sServiceaccount.key },
    os: toBundleCertificate(certs.os),
  },
});

/** Converts from talosctl's form to the Talos plugin's. */
export const fromBundle = ({ cluster, secrets, trustdinfo, certs }: SecretsBundle): MachineSecrets => ({
  cluster: { id: cluster.id, secret: cluster.secret },
  secrets: {
    bootstrapToken: secrets.bootstraptoken,
    secretboxEncryptionSecret: secrets.secretboxencryptionsecret,
    ...(secrets.aescbcencryptionsecret && { aescbcEncryptionSecret: secrets.aescbcencryptionsecret }),
  },
  trustdinfo: { token: trustdinfo.token },
  certs: {
    etcd: fromBundleCertificate(certs.etcd),
    k8s: fromBundleCertificate(certs.k8s),
    k8sAggregator: fromBundleCertificate(certs.k8saggregator),
    k8sServiceaccount: { key: certs.k8sserviceaccount.key },
    os: fromBundleCertificate(certs.os),
  },
});

const toBundleCertificate = ({ cert, key }: Certificate): BundleCertificate => ({ crt: cert, key });
const fromBundleCertificate = ({ crt, key }: BundleCertificate): Certificate => ({ cert: crt, key });
