import type { MachineSecrets } from "@pulumi/talos";
import { expect } from "chai";

import { fromBundle, toBundle } from "../../../components/talos/secrets-bundle.ts";

const certificate = (name: string) => ({ cert: `${name}-cert`, key: `${name}-key` });

const secrets: MachineSecrets = {
  cluster: { id: "id", secret: "secret" },
  secrets: { bootstrapToken: "bootstrap", secretboxEncryptionSecret: "secretbox" },
  trustdinfo: { token: "trustd" },
  certs: {
    etcd: certificate("etcd"),
    k8s: certificate("k8s"),
    k8sAggregator: certificate("aggregator"),
    k8sServiceaccount: { key: "account-key" },
    os: certificate("os"),
  },
};

describe("a bundle of Talos secrets", () => {
  it("is made back into what the plugin gave", () => {
    expect(fromBundle(toBundle(secrets))).to.deep.equal(secrets);
    const older = { ...secrets, secrets: { ...secrets.secrets, aescbcEncryptionSecret: "aescbc" } };
    expect(fromBundle(toBundle(older))).to.deep.equal(older);
  });
});
