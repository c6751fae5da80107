import { expect } from "chai";

import { serverOf, withServer } from "../../../components/talos/kubeconfig.ts";

const kubeconfig = `apiVersion: v1
kind: Config
clusters:
    - name: den-dev
      cluster:
        server: https://10.20.0.10:6443
        certificate-authority-data: abc
`;

describe("a kubeconfig", () => {
  it("stays as it is at its own endpoint, however that is written", () => {
    expect(withServer(kubeconfig, "https://10.20.0.10:6443")).to.equal(kubeconfig);
    expect(withServer(kubeconfig, "https://10.20.0.10:6443/")).to.equal(kubeconfig);
  });

  it("leads to another endpoint, and changes in nothing else", () => {
    const moved = withServer(kubeconfig, "https://k8s.example.com:6443");
    expect(serverOf(moved)).to.equal("https://k8s.example.com:6443");
    expect(withServer(moved, "https://10.20.0.10:6443")).to.equal(kubeconfig);
  });

  it("that names no server is left alone", () => {
    expect(withServer("kubeconfig", "https://10.20.0.10:6443")).to.equal("kubeconfig");
    expect(serverOf("kubeconfig")).to.equal(undefined);
  });
});
