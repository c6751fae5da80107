/** The credentials of a client of the Talos API. Each field is base64-encoded PEM. */
export interface ClientConfiguration {
  caCertificate: string;
  clientCertificate: string;
  clientKey: string;
}

/** A certificate and its key, each as base64-encoded PEM. */
export interface Certificate {
  cert: string;
  key: string;
}

/** The root secrets of a Talos cluster: its identifiers, tokens and certificate authorities. */
export interface MachineSecrets {
  cluster: { id: string; secret: string };
  secrets: { bootstrapToken: string; secretboxEncryptionSecret: string; aescbcEncryptionSecret?: string };
  trustdinfo: { token: string };
  certs: {
    etcd: Certificate;
    k8s: Certificate;
    k8sAggregator: Certificate;
    k8sServiceaccount: { key: string };
    os: Certificate;
  };
}

/** How long operations may take, as Go durations such as `10m`. */
export interface Timeouts {
  create?: string;
  update?: string;
  delete?: string;
}
