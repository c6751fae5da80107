import { expect } from "chai";

import { secretServiceDocuments, serviceDocuments, type Services } from "../../../components/talos/services.ts";

const node = "den-dev-wk01";
const nut: Services = { "nut-client": { ups: "ups", host: "nas.example.com", user: "monuser" } };
const tailnet: Services = { tailscale: { routes: [], acceptRoutes: false, acceptDns: false, tags: [] } };
const document = (fields: object) => ({ apiVersion: "v1alpha1", kind: "ExtensionServiceConfig", ...fields });

describe("a service of an extension", () => {
  it("has its settings in the open, and its key apart from them", () => {
    const secrets = { tailscale: { authKey: "tskey-auth-1" } };
    expect(serviceDocuments(tailnet, node)).to.deep.equal([
      document({
        name: "tailscale",
        environment: [`TS_HOSTNAME=${node}`, "TS_AUTH_ONCE=true", "TS_ACCEPT_DNS=false"],
      }),
    ]);
    expect(secretServiceDocuments(tailnet, secrets, node)).to.deep.equal([
      document({ name: "tailscale", environment: ["TS_AUTHKEY=tskey-auth-1"] }),
    ]);
  });

  it("is secret as a whole where one file has everything, with whatever is in the password", () => {
    expect(serviceDocuments(nut, node)).to.deep.equal([]);
    expect(secretServiceDocuments(nut, { "nut-client": { password: String.raw`a "b\ c` } }, node)).to.deep.equal([
      document({
        name: "nut-client",
        configFiles: [
          {
            mountPath: "/usr/local/etc/nut/upsmon.conf",
            content:
              String.raw`MONITOR ups@nas.example.com 1 monuser "a \"b\\ c" secondary` +
              '\nSHUTDOWNCMD "/sbin/poweroff"\n',
          },
        ],
      }),
    ]);
  });

  it("gets the certificate of its own node, and of no other", () => {
    const services: Services = { nebula: { configuration: "pki: {}\n" } };
    const own = { certificate: "own certificate", key: "own key" };
    const other = { certificate: "other certificate", key: "other key" };
    const secrets = { nebula: { authority: "authority", nodes: { [node]: own, "den-dev-wk02": other } } };
    const [found] = secretServiceDocuments(services, secrets, node) as { configFiles: { content: string }[] }[];
    expect(found?.configFiles.map(({ content }) => content)).to.deep.equal(["authority", "own certificate", "own key"]);
    expect(secretServiceDocuments(services, secrets, "den-dev-cp01")).to.deep.equal([]);
  });

  it("renders nothing where it has no settings, whatever the secret holds", () => {
    expect(serviceDocuments({}, node)).to.deep.equal([]);
    expect(secretServiceDocuments({}, { tailscale: { authKey: "tskey-auth-1" } }, node)).to.deep.equal([]);
  });
});
