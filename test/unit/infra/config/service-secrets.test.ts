import { expect } from "chai";

import { parseServiceSecrets } from "../../../../infra/config/service-secrets.ts";
import { parseConfig } from "../../../../infra/config/index.ts";
import { changed } from "../../../support/changes.ts";

const withServices = (services: object) =>
  parseConfig(
    "dev",
    changed(
      "dev",
      ["images/worker", { extensions: Object.keys(services).map((name) => `siderolabs/${name}`), services }],
      ["nodes/den-dev-wk01/image", "worker"],
    ),
  );

const refusal = (text: string, services: object): string => {
  try {
    parseServiceSecrets(text, "dev", withServices(services));
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("The secret was accepted");
};

const certificate = {
  certificate: "-----BEGIN NEBULA CERTIFICATE-----",
  key: "-----BEGIN NEBULA X25519 PRIVATE KEY-----",
};

describe("the secret of services", () => {
  it("is what the services start by", () => {
    const secrets = { tailscale: { authKey: "tskey-auth-1" } };
    expect(parseServiceSecrets(JSON.stringify(secrets), "dev", withServices({ tailscale: {} }))).to.deep.equal(secrets);
  });

  it("may be absent, which the check of the stack file tells", () => {
    expect(parseServiceSecrets(undefined, "dev", withServices({ tailscale: {} }))).to.deep.equal({});
  });

  it("is refused, and not shown, where it is not JSON or of another form", () => {
    for (const text of [
      "hunter2",
      '{"tailscale": {"authKey": "hunter2 hunter2"}}',
      '{"tailscale": {"key": "hunter2"}}',
    ]) {
      const message = refusal(text, { tailscale: {} });
      expect(message).to.contain("serviceSecrets").and.to.contain("is not what a service's secret looks like");
      expect(message).not.to.contain("hunter2");
    }
  });

  it("is refused where it lacks that of a service", () => {
    expect(refusal('{"netbird": {"setupKey": "hunter2"}}', { tailscale: {}, netbird: {} })).to.match(
      /serviceSecrets\.tailscale {3}is missing, and the service starts by it\n.*hearth:serviceSecrets with \{"tailscale": \{"authKey": "…"\}\}/,
    );
  });

  it("is refused where a node of a Nebula network has no certificate", () => {
    const nebula = {
      authority: "-----BEGIN NEBULA CERTIFICATE-----",
      nodes: { "den-dev-wk02": certificate },
    };
    expect(refusal(JSON.stringify({ nebula }), { nebula: { configuration: "pki: {}" } })).to.contain(
      "serviceSecrets.nebula.nodes.den-dev-wk01   is missing, and every node of a Nebula network has a certificate of its own",
    );
  });
});
