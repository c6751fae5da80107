import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { parse } from "yaml";

import { issueKubeconfig, personOf, type Api, type Order } from "../../../../operations/access/kubeconfig.ts";
import { messageOf } from "../../../support/failure.ts";

const roles = { admins: "cluster-admin", family: "view" };
const kubeconfig = "clusters: [{ cluster: { server: 'https://10.0.0.10:6443', certificate-authority-data: Q0E= } }]\n";

interface Created {
  metadata: { name: string };
  spec: { request: string; signerName: string; expirationSeconds: number; usages: string[] };
}

/** An API that signs approved requests by OpenSSL, as kube-controller-manager does. */
class FakeApi implements Api {
  readonly created: Created[] = [];
  readonly deleted: string[] = [];
  readonly bound = new Set(["people-admins-cluster-admin", "people-family-view"]);
  approval: { type: string; status: string } | undefined;
  /** What the status says in place of a certificate. */
  conditions: { type: string; message: string }[] | undefined;
  /** The request that is signed in place of the created one. */
  instead: string | undefined;
  isSilent = false;

  constructor(private readonly folder: string) {
    const subject = ["-subj", "/CN=kubernetes", "-days", "1"];
    this.run("req", "-x509", "-newkey", "ed25519", "-nodes", ...subject, "-keyout", "ca.key", "-out", "ca.crt");
  }

  create(path: string, object: object): Promise<void> {
    expect(path).to.equal("/apis/certificates.k8s.io/v1/certificatesigningrequests");
    this.created.push(object as Created);
    return Promise.resolve();
  }

  merge(path: string, patch: object): Promise<void> {
    expect(path).to.match(/\/hearth-access-[0-9a-f]{12}\/approval$/);
    [this.approval] = (patch as { status: { conditions: [{ type: string; status: string }] } }).status.conditions;
    return Promise.resolve();
  }

  get<T>(path: string): Promise<T | undefined> {
    const name = path.split("/").at(-1) ?? "";
    if (path.includes("/clusterrolebindings/")) return Promise.resolve((this.bound.has(name) ? {} : undefined) as T);
    if (this.conditions) return Promise.resolve({ status: { conditions: this.conditions } } as T);
    if (this.approval?.type !== "Approved" || this.approval.status !== "True" || this.isSilent)
      return Promise.resolve({ status: {} } as T);
    return Promise.resolve({ status: { certificate: this.sign() } } as T);
  }

  delete(path: string): Promise<void> {
    this.deleted.push(path.split("/").at(-1) ?? "");
    return Promise.resolve();
  }

  private sign(): string {
    const request = this.instead ?? Buffer.from(this.created[0]?.spec.request ?? "", "base64").toString();
    writeFileSync(join(this.folder, "request"), request);
    const authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1"];
    this.run("x509", "-req", "-in", "request", ...authority, "-out", "crt");
    return readFileSync(join(this.folder, "crt")).toString("base64");
  }

  run(...args: string[]): void {
    execFileSync("openssl", args, { cwd: this.folder, stdio: "pipe" });
  }
}

describe("a kubeconfig of a person", () => {
  let folder: string;
  let api: FakeApi;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hearth-"));
    api = new FakeApi(folder);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const order = (changes: Partial<Order> = {}): Order => ({
    person: personOf("anna", ["admins", "family"], roles),
    ...{ roles, cluster: "den-prod", kubeconfig, lifetime: 28_800, api, timeout: 300 },
    ...changes,
  });

  it("has a certificate of the person and the groups, by Kubernetes's own signer, for the time that was asked for", async () => {
    const { text, until } = await issueKubeconfig(order());
    const [{ spec } = { spec: undefined }] = api.created;
    expect(spec).to.deep.include({
      signerName: "kubernetes.io/kube-apiserver-client",
      expirationSeconds: 28_800,
      usages: ["digital signature", "client auth"],
    });
    const config = parse(text) as {
      users: [{ user: { "client-certificate-data": string; "client-key-data": string } }];
    };
    const { user } = config.users[0];
    const certificate = new X509Certificate(Buffer.from(user["client-certificate-data"], "base64"));
    expect(certificate.subject).to.equal("O=hearth:admins\nO=hearth:family\nCN=hearth:anna");
    expect(certificate.checkPrivateKey(createPrivateKey(Buffer.from(user["client-key-data"], "base64")))).to.equal(
      true,
    );
    expect(until).to.deep.equal(new Date(certificate.validTo));
    expect(config).to.deep.include({
      clusters: [
        { name: "den-prod", cluster: { server: "https://10.0.0.10:6443", "certificate-authority-data": "Q0E=" } },
      ],
      contexts: [{ name: "anna@den-prod", context: { cluster: "den-prod", user: "anna@den-prod" } }],
      "current-context": "anna@den-prod",
    });
  });

  it("leaves no request behind, whatever becomes of it", async () => {
    await issueKubeconfig(order());
    api.conditions = [{ type: "Failed", message: "the signer has expired" }];
    expect(await messageOf(issueKubeconfig(order()))).to.equal(
      "Kubernetes does not sign the certificate: the signer has expired",
    );
    api.conditions = undefined;
    api.isSilent = true;
    expect(await messageOf(issueKubeconfig(order()))).to.contain(
      "Kubernetes has not signed the certificate: look at the pods of kube-controller-manager",
    );
    expect(api.deleted)
      .to.have.lengthOf(3)
      .and.deep.equal(api.created.map(({ metadata }) => metadata.name));
  });

  it("is not written with a certificate of somebody else", async () => {
    const files = ["-keyout", "other.key", "-out", "other"];
    api.run(
      "req",
      "-newkey",
      "ed25519",
      "-nodes",
      "-subj",
      "/O=hearth:admins/O=hearth:family/CN=hearth:anna",
      ...files,
    );
    api.instead = readFileSync(join(folder, "other"), "utf8");
    expect(await messageOf(issueKubeconfig(order()))).to.contain("signed another certificate than the one");
  });

  it("is not issued for a group that has no role in the cluster yet, and nothing is requested", async () => {
    api.bound.delete("people-family-view");
    expect(await messageOf(issueKubeconfig(order()))).to.equal(
      "family does not have its role view in the cluster yet: run npx hearth deploy, then this again",
    );
    expect(api.created).to.deep.equal([]);
  });

  it("is not issued for less than Kubernetes takes", async () => {
    expect(await messageOf(issueKubeconfig(order({ lifetime: 300 })))).to.equal(
      "Kubernetes issues no certificate for less than ten minutes: write --for 10m",
    );
  });
});

describe("a person", () => {
  it("is in groups that the stack has", () => {
    expect(personOf("anna", ["admins", "admins"], roles)).to.deep.equal({ name: "anna", groups: ["admins"] });
    expect(() => personOf("anna", [], roles)).to.throw("anna needs a group: write --group with one of admins, family");
    expect(() => personOf("anna", ["system:masters"], roles)).to.throw(
      "--group system:masters is not in cluster.groups: add it there with its role, or write admins, family",
    );
    expect(() => personOf("anna", ["admins"], {})).to.throw("The stack has no groups of people: add cluster.groups");
  });

  it("has a name that fits a certificate", () => {
    expect(personOf("anna@example.com", ["admins"], roles).name).to.equal("anna@example.com");
    for (const name of ["", "Anna", "anna b", "-anna", "a".repeat(58)]) {
      expect(() => personOf(name, ["admins"], roles)).to.throw(
        `--person ${name} is not a name: write one such as anna`,
      );
    }
  });
});
