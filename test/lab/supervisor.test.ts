import { once } from "node:events";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import type { MemoryUse } from "../../lab/supervisor.ts";
import { type LabFolder, type LabProcess, accepts, eventually, labFolder, startLab } from "../support/lab-process.ts";
import { type Process, exposed, listeners, processTree, survivors } from "../support/processes.ts";

const api = "127.97.255.1:7700";
const proxy = "127.97.255.2:8128";
const git = "127.97.255.3:2222";

interface Child {
  name: string;
  state: string;
  pid?: number;
  restarts: number;
  ready: boolean;
  address: string;
  error?: string;
  lines?: string[];
  lastExit?: string;
}

interface Status {
  pid: number;
  ready: boolean;
  stopping: boolean;
  children: Child[];
}

describe("the lab's supervisor", function () {
  this.timeout(60_000);

  let folder: LabFolder;
  let supervisor: LabProcess;
  const started: LabProcess[] = [];

  const supervise = async (): Promise<LabProcess> => {
    const lab = await startLab("supervise", folder.config);
    started.push(lab);
    return lab;
  };

  const request = async (path: string, method = "GET", token?: string): Promise<Response> => {
    const bearer = token ?? (await readFile(join(folder.dir, "supervisor.token"), "utf8")).trim();
    return fetch(`http://${api}${path}`, { method, headers: { authorization: `Bearer ${bearer}` } });
  };

  const status = async (): Promise<Status> => (await (await request("/status")).json()) as Status;

  const child = async (name: string): Promise<Child> => {
    const found = (await status()).children.find((one) => one.name === name);
    if (!found) throw new Error(`no child ${name}`);
    return found;
  };

  const ready = (): Promise<Status> =>
    eventually("everything is ready", async () => {
      const now = await status();
      return now.ready && now;
    });

  const gone = (tree: readonly Process[]): Promise<true> =>
    eventually("every process has ended", async () => (await survivors(tree)).length === 0);

  beforeEach(async () => {
    folder = await labFolder({ supervisor: { address: api }, internet: { proxy }, git: { address: git } });
  });

  afterEach(async () => {
    for (const lab of started.splice(0)) await lab.stop();
    await folder.remove();
  });

  describe("with a lab that runs", () => {
    beforeEach(async () => {
      supervisor = await supervise();
      await ready();
    });

    it("says of every child what it is, where it listens and that it is ready", async () => {
      const { children, pid } = await status();
      expect(pid).to.equal(supervisor.pid);
      expect(children.map(({ name, address, state, ready }) => ({ name, address, state, ready }))).to.deep.equal([
        { name: "internet", address: proxy, state: "running", ready: true },
        { name: "git", address: git, state: "running", ready: true },
      ]);
      const running = await processTree(supervisor.pid);
      expect(running.map((process) => process.pid)).to.include.members(children.map((one) => one.pid));
    });

    it("tells the memory of all its processes", async () => {
      const memory = (await (await request("/memory")).json()) as MemoryUse;
      expect(memory.processes).to.equal(3);
      expect(memory.bytes).to.be.within(3_000_000, 500_000_000);
      expect(memory.peakBytes).to.be.at.least(memory.bytes);
    });

    it("answers nobody without the token of the lab's folder", async () => {
      expect((await request("/status", "GET", "wrong")).status).to.equal(401);
      expect((await request("/memory", "GET", "wrong")).status).to.equal(401);
      expect((await request("/stop", "POST", "")).status).to.equal(401);
      expect((await stat(join(folder.dir, "supervisor.token"))).mode & 0o777).to.equal(0o600);
      expect(await accepts(proxy)).to.equal(true);
    });

    it("starts a child that was killed again, with the state it had", async () => {
      const before = await child("git");
      const hostKey = await readFile(join(folder.dir, "git", "known_hosts"), "utf8");
      process.kill(before.pid ?? 0, "SIGKILL");
      const after = await eventually("git is back", async () => {
        const now = await child("git");
        return now.ready && now.pid !== before.pid && now;
      });
      expect(after.restarts).to.equal(1);
      expect(after.lastExit).to.equal("signal: killed");
      expect(await readFile(join(folder.dir, "git", "known_hosts"), "utf8")).to.equal(hostKey);
    });

    it("restarts a child on request, and only those it has", async () => {
      const before = await child("internet");
      expect((await request("/restart/internet", "POST")).status).to.equal(202);
      await eventually("internet is another process", async () => {
        const now = await child("internet");
        return now.ready && now.pid !== before.pid;
      });
      expect((await request("/restart/nobody", "POST")).status).to.equal(404);
    });

    it("refuses to be started twice, naming the process that runs", async () => {
      const second = await supervise();
      expect(await second.ended).to.equal(1);
      expect(second.output()).to.equal(
        `hearth-lab: supervise: the lab in ${folder.dir} is already run by the process with pid ${supervisor.pid}\n`,
      );
      expect((await status()).ready).to.equal(true);
    });

    it("writes its pid down while it runs", async () => {
      const file = join(folder.dir, "supervisor.pid");
      expect(await readFile(file, "utf8")).to.equal(`${supervisor.pid}\n`);
      await supervisor.stop();
      expect(await stat(file).catch((error: unknown) => (error as { code: string }).code)).to.equal("ENOENT");
    });

    it("leaves no process after a stop by request", async () => {
      const tree = await processTree(supervisor.pid);
      expect(tree).to.have.length(3);
      expect(await (await request("/stop", "POST")).json()).to.deep.equal({ stopped: true });
      expect(await supervisor.ended).to.equal(0);
      expect(await survivors(tree)).to.deep.equal([]);
    });

    it("leaves no process after SIGTERM", async () => {
      const tree = await processTree(supervisor.pid);
      expect(await supervisor.stop()).to.equal(0);
      expect(await survivors(tree)).to.deep.equal([]);
    });

    it("leaves no process when it is killed, and starts again right after", async () => {
      const tree = await processTree(supervisor.pid);
      supervisor.process.kill("SIGKILL");
      expect(await supervisor.ended).to.equal("SIGKILL");
      supervisor = await supervise();
      await ready();
      await gone(tree);
    });

    it("listens on 127.0.0.0/8 only", async () => {
      const tree = await processTree(supervisor.pid);
      expect((await listeners(tree)).map(({ address, port }) => `${address}:${port}`)).to.have.members([
        api,
        proxy,
        git,
      ]);
      expect(await exposed(tree)).to.deep.equal([]);
    });
  });

  it("runs bare-metal machines, each from what is known of its hardware", async () => {
    const machine = {
      ...{ name: "den-lab-cp01", address: "127.97.0.11", mac: "52:54:00:97:00:11", platform: "metal" },
      uuid: "5f0c3e3e-0000-4000-8000-000000000092",
      ...{ cores: 4, memoryMiB: 8192, secureBoot: false, tpm: false },
      disks: [{ device: "/dev/sda", sizeGiB: 100, transport: "sata", model: "Disk", serial: "1" }],
      image: { version: "v1.13.9", schematic: "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba" },
    };
    const config = JSON.parse(await readFile(folder.config, "utf8")) as object;
    await writeFile(folder.config, JSON.stringify({ ...config, metal: [machine] }));
    supervisor = await supervise();
    await ready();
    expect(await child("machine-den-lab-cp01")).to.include({ address: "127.97.0.11:50000", ready: true });
    const spec = join(folder.dir, "machines", "den-lab-cp01", "spec.json");
    expect(JSON.parse(await readFile(spec, "utf8"))).to.deep.equal(machine);
    const tree = await processTree(supervisor.pid);
    expect(await exposed(tree)).to.deep.equal([]);
    supervisor.process.kill("SIGKILL");
    await gone(tree);
  });

  it("refuses a machine whose name would lead out of its folder", async () => {
    const config = JSON.parse(await readFile(folder.config, "utf8")) as object;
    await writeFile(folder.config, JSON.stringify({ ...config, metal: [{ name: "../x", address: "127.97.0.11" }] }));
    supervisor = await supervise();
    expect(await supervisor.ended).to.equal(1);
    expect(supervisor.output()).to.contain('metal machine "../x": a name is lower-case letters, digits and dashes\n');
  });

  it("moves a log aside that has grown past 10 MB, and says in a log when a process started", async () => {
    const log = join(folder.dir, "logs", "internet.log");
    await mkdir(join(folder.dir, "logs"));
    await writeFile(log, "old line\n".repeat(1_200_000));
    supervisor = await supervise();
    await ready();
    expect(await readFile(log, "utf8")).to.match(/^=== internet started \d{4}-\d\d-\d\dT\S+\n/);
    expect((await stat(`${log}.1`)).size).to.equal(10_800_000);
  });

  it("says in one line which port is in use, gives that child up, and starts it on request", async () => {
    const squatter = createServer().listen(8128, "127.97.255.2");
    await once(squatter, "listening");
    try {
      supervisor = await supervise();
      const failed = await eventually("internet is given up", async () => {
        const now = await child("internet");
        return now.state === "failed" && now;
      });
      const line = `${proxy} is in use by another process, NAME with pid ${process.pid}; end that process and run \`npm run lab\` again`;
      expect(failed.error?.replace(/process, .* with/, "process, NAME with")).to.equal(line);
      expect(failed.ready).to.equal(false);
      expect(failed.lines?.at(-1)).to.contain("address already in use");
      expect(supervisor.output().match(/is in use by another process/g)).to.have.length(1);
      expect((await child("git")).ready).to.equal(true);
    } finally {
      squatter.close();
    }
    await once(squatter, "close");
    await request("/restart/internet", "POST");
    const { children } = await ready();
    expect(children.map((one) => one.error)).to.deep.equal([undefined, undefined]);
  });

  it("says in one line that its own port is in use, and starts nothing", async () => {
    const squatter = createServer().listen(7700, "127.97.255.1");
    await once(squatter, "listening");
    try {
      supervisor = await supervise();
      expect(await supervisor.ended).to.equal(1);
      expect(supervisor.output()).to.match(/^hearth-lab: supervise: 127\.97\.255\.1:7700 is in use by .*\n$/);
      expect(await accepts(proxy)).to.equal(false);
    } finally {
      squatter.close();
    }
  });

  it("says in one line that its folder cannot be written", async () => {
    const file = join(folder.dir, "file");
    await writeFile(file, "");
    const config = JSON.parse(await readFile(folder.config, "utf8")) as object;
    await writeFile(folder.config, JSON.stringify({ ...config, dir: join(file, "lab") }));
    supervisor = await supervise();
    expect(await supervisor.ended).to.equal(1);
    expect(supervisor.output()).to.match(/^hearth-lab: supervise: the lab's folder .* cannot be written .*\n$/);
  });
});
