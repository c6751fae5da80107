import { expect } from "chai";

import { trustOf } from "../../../../lib/engine/certificate.ts";
import { namedCertificates, proxmoxAuthorities, type ProxmoxPlace } from "../../../../lib/engine/proxmox-trust.ts";
import { askProxmox } from "../../../../lib/cluster/proxmox.ts";
import { authority, echo } from "../../../support/certificates.ts";
import { failureOf } from "../../../support/failure.ts";

describe("the certificate that Proxmox is known by", () => {
  const own = authority();
  const leaf = own.sign();

  /** Asks as commands do. */
  const ask = async (place: ProxmoxPlace): Promise<number> => {
    const authorities = await proxmoxAuthorities(place, {});
    return (await askProxmox({ endpoint: place.endpoint, insecure: false, authorities, token: "t" })("/version"))
      .status;
  };

  it("is the authority's that the stack file has, or the one with its fingerprint", async () => {
    await using server = await echo(leaf);
    expect((await failureOf(ask({ endpoint: server.endpoint }))).message).to.match(/certificate/);
    expect(await ask({ endpoint: server.endpoint, ca: own.certificate })).to.equal(200);
    expect(await ask({ endpoint: server.endpoint, fingerprint: leaf.fingerprint })).to.equal(200);
    expect(server.tokens).to.deep.equal(["PVEAPIToken=t", "PVEAPIToken=t"]);
  });

  it("is sent nothing if it has another fingerprint, which is told with both", async () => {
    await using server = await echo(own.sign());
    const { message } = await failureOf(ask({ endpoint: server.endpoint, fingerprint: leaf.fingerprint }));
    const [, has = ""] = /it has +(\S+)/.exec(message) ?? [];
    expect(has)
      .to.match(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
      .and.not.equal(leaf.fingerprint);
    expect(message).to.contain(`the stack file  ${leaf.fingerprint}`);
    expect(server.tokens).to.deep.equal([]);
  });

  it("is sent nothing if another authority signed it", async () => {
    await using server = await echo(leaf);
    const other = await failureOf(ask({ endpoint: server.endpoint, ca: authority().certificate }));
    expect(other.message).to.match(/certificate/);
    expect(server.tokens).to.deep.equal([]);
  });

  it("is not trusted for another name or after its time, although its fingerprint is known", async () => {
    for (const [wrong, code] of [
      [own.sign(730, "127.0.0.2"), "ERR_TLS_CERT_ALTNAME_INVALID"],
      [own.sign(-1), "CERT_HAS_EXPIRED"],
    ] as const) {
      await using server = await echo(wrong);
      const { endpoint, tokens } = server;
      expect(await trustOf(endpoint, [wrong.certificate])).to.include({ code });
      expect(await failureOf(ask({ endpoint, fingerprint: wrong.fingerprint }))).to.have.property("code", code);
      expect(tokens).to.deep.equal([]);
    }
  });

  it("is not known of a Proxmox that does not answer", async () => {
    const endpoint = await echo(leaf).then(async (server) => {
      await server[Symbol.asyncDispose]();
      return server.endpoint;
    });
    expect(await namedCertificates({ endpoint, fingerprint: leaf.fingerprint })).to.deep.equal([]);
    expect(await namedCertificates({ endpoint, ca: own.certificate })).to.deep.equal([own.certificate]);
  });
});
