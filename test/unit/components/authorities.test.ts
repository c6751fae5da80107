import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { endingAuthorities, notice } from "../../../components/talos/authorities.ts";

describe("a cluster's certificate authorities", () => {
  let folder: string;

  before(() => (folder = mkdtempSync(join(tmpdir(), "hearth-authorities-"))));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const authority = (days: number) => {
    const made = [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-keyout",
      "key",
    ];
    const pem = execFileSync("openssl", [...made, "-subj", "/O=den", "-days", days.toString()], {
      ...{ cwd: folder, stdio: ["ignore", "pipe", "ignore"] },
    });
    return { cert: pem.toString("base64"), key: "" };
  };

  const certs = (kubernetes: { cert: string; key: string }) => {
    const long = authority(3650);
    const account = { key: "" };
    return { certs: { os: long, k8s: kubernetes, etcd: long, k8sAggregator: long, k8sServiceaccount: account } };
  };

  it("are told of by name in their last year", () => {
    const [told, ...others] = endingAuthorities(certs(authority(90)), new Date());
    expect(others).to.deep.equal([]);
    expect(told?.of).to.equal("Kubernetes");
    expect(told?.days).to.be.within(89, 90);
    expect(told?.ends).to.equal(new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10));
  });

  it("are told of when they have ended", () => {
    const later = new Date(Date.now() + 100 * 86_400_000);
    expect(endingAuthorities(certs(authority(90)), later)[0]?.days).to.be.within(-11, -10);
  });

  it("are not told of before, nor is what is no certificate", () => {
    expect(endingAuthorities(certs(authority(notice + 2)), new Date())).to.deep.equal([]);
    expect(endingAuthorities(certs({ cert: "Q0VSVA==", key: "" }), new Date())).to.deep.equal([]);
  });
});
