import { type Server, createServer } from "node:http";
import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { expect } from "chai";
import { type LabProcess, accepts, eventually, labFolder, startLab } from "../support/lab-process.ts";

const proxy = "127.91.3.1:8128";
const cloudflare = "127.91.3.2:8443";
const registry = "127.91.3.3:8443";

const split = (address: string): [number, string] => {
  const [host = "", port = ""] = address.split(":");
  return [Number(port), host];
};

/** Stands in for a simulator: answers every request with its own name and the path. */
const simulator = async (name: string, address: string): Promise<Server> => {
  const server = createServer((request, response) => response.end(`${name} ${request.url ?? ""}`));
  server.listen(...split(address));
  await once(server, "listening");
  return server;
};

/** Sends raw text to the proxy and gives everything that comes back until it closes. */
const exchange = async (text: string): Promise<string> => {
  const socket = connect(...split(proxy));
  socket.write(text);
  return read(socket);
};

const read = async (socket: Socket): Promise<string> => {
  let all = "";
  for await (const chunk of socket) all += String(chunk);
  return all;
};

const through = (host: string): Promise<string> =>
  exchange(
    `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\nGET /seen HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
  );

describe("the lab's internet", () => {
  let lab: LabProcess;
  const undo: (() => unknown)[] = [];

  before(async () => {
    for (const [name, address] of Object.entries({ cloudflare, registry })) {
      const server = await simulator(name, address);
      undo.push(() => server.close());
    }
    const folder = await labFolder({
      internet: { proxy, registry, registries: ["quay.io", "ghcr.io"] },
      cloudflare: { address: cloudflare },
    });
    undo.push(folder.remove);
    lab = await startLab("internet", folder.config);
    undo.push(lab.stop);
    await eventually("the proxy listens", () => accepts(proxy));
  });

  after(async () => {
    for (const step of undo.reverse()) await step();
  });

  it("tunnels Cloudflare's host name to its simulator", async () => {
    expect(await through("api.cloudflare.com:443")).to.match(/^HTTP\/1.1 200 .*cloudflare \/seen/s);
  });

  it("tunnels every registry's host name to the lab's registry, however it is written", async () => {
    expect(await through("quay.io:443")).to.contain("registry /seen");
    expect(await through("GHCR.io.:443")).to.contain("registry /seen");
  });

  it("passes on what a client sends at once with its request", async () => {
    expect(await through("quay.io:443")).to.match(/^HTTP\/1.1 200 Connection established\r\n\r\nHTTP\/1.1 200 OK/);
  });

  it("refuses a host that the lab does not simulate, in the status line and in one line of body", async () => {
    const answer = await through("github.com:443");
    expect(answer).to.match(/^HTTP\/1.1 403 .*the lab does not simulate github\.com\r\n/);
    expect(answer.split("\r\n\r\n")[1]).to.equal("the lab does not simulate github.com\n");
  });

  it("refuses another port of a simulated host", async () => {
    expect(await through("api.cloudflare.com:22")).to.match(/^HTTP\/1.1 403 .*api\.cloudflare\.com:22/);
  });

  it("refuses plain HTTP to the outside", async () => {
    const answer = await exchange("GET http://quay.io/v2/ HTTP/1.1\r\nHost: quay.io\r\nConnection: close\r\n\r\n");
    expect(answer).to.match(/^HTTP\/1.1 403 .*\r\n\r\nthe lab does not simulate quay\.io\n$/s);
  });

  it("reaches the lab's own loopback addresses, by tunnel and by plain HTTP", async () => {
    expect(await through(registry)).to.contain("registry /seen");
    const plain = await exchange(
      `GET http://${cloudflare}/plain HTTP/1.1\r\nHost: ${cloudflare}\r\nConnection: close\r\n\r\n`,
    );
    expect(plain).to.match(/^HTTP\/1.1 200 .*cloudflare \/plain/s);
  });

  for (const host of [
    "localhost:8443",
    "[::1]:8443",
    "[::ffff:127.0.0.1]:8443",
    "10.20.0.1:443",
    "0.0.0.0:8443",
    "2130706433:80",
  ])
    it(`does not take ${host} for a loopback address of the lab`, async () => {
      expect(await through(host)).to.match(/^HTTP\/1.1 403 /);
    });

  it("says which simulator does not answer", async () => {
    expect(await through("127.91.3.9:1")).to.match(
      /^HTTP\/1.1 502 .*127\.91\.3\.9:1 does not answer: connection refused/,
    );
  });

  it("is no web server itself", async () => {
    expect(await exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).to.match(/^HTTP\/1.1 400 /);
  });

  it("logs a host once, however often it is asked for", async () => {
    for (let i = 0; i < 3; i++) await through("often.example:443");
    expect(lab.output().match(/often\.example/g)).to.have.length(1);
  });

  it("ends open tunnels when it is stopped", async () => {
    const other = await labFolder({ internet: { proxy: "127.91.3.4:8128" } });
    const second = await startLab("internet", other.config);
    await eventually("the second proxy listens", () => accepts("127.91.3.4:8128"));
    const socket = connect(...split("127.91.3.4:8128"));
    socket.write(`CONNECT ${registry} HTTP/1.1\r\nHost: ${registry}\r\n\r\n`);
    await once(socket, "data");
    const [code] = await Promise.all([second.stop(), read(socket)]);
    expect(code).to.equal(0);
    await other.remove();
  });
});
