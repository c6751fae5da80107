import { createServer } from "node:net";
import { once } from "node:events";
import { expect } from "chai";
import { exposed, listeners, processTree, survivors } from "../support/processes.ts";

/** Listens until the body has run; gives the port. */
const listening = async (host: string, body: (port: number) => Promise<void>): Promise<void> => {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  try {
    await body((server.address() as { port: number }).port);
  } finally {
    server.close();
  }
};

describe("the watch over what the lab's processes listen on", () => {
  const own = { pid: process.pid, parent: process.ppid, command: "this test" };

  it("sees a loopback address and takes no offence", () =>
    listening("127.94.0.7", async (port) => {
      expect(await listeners([own])).to.deep.include({
        pid: process.pid,
        command: "this test",
        address: "127.94.0.7",
        port,
      });
      expect(await exposed([own])).to.deep.equal([]);
    }));

  for (const [host, shown] of [
    ["0.0.0.0", "0.0.0.0"],
    ["::", "::"],
    ["::1", "::1"],
  ] as const)
    it(`finds a process that listens on ${host}`, () =>
      listening(host, async (port) => {
        expect((await exposed([own])).map((found) => [found.address, found.port])).to.deep.equal([[shown, port]]);
      }));

  it("looks only at the processes it is given", () =>
    listening("0.0.0.0", async () => {
      expect(await exposed([{ ...own, pid: process.ppid }])).to.deep.equal([]);
    }));

  it("knows a process tree and what is left of it", async () => {
    const tree = await processTree(process.pid);
    expect(tree[0]?.pid).to.equal(process.pid);
    expect(await survivors(tree.slice(0, 1))).to.deep.equal(tree.slice(0, 1));
    expect(await survivors([{ ...own, pid: 2 ** 30 }])).to.deep.equal([]);
  });
});
