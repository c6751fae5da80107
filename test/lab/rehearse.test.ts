import { readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { text } from "node:stream/consumers";

import { expect } from "chai";
import { execa } from "execa";

import { LabCheckout } from "../support/lab-checkout.ts";
import { eventually } from "../support/lab-process.ts";

/** What a command said and how it ended. */
interface Ended {
  exitCode?: number;
  all: string;
}

describe("npx hearth rebuild and npx hearth rehearse", () => {
  let checkout: LabCheckout;

  const lab = async (...args: string[]): Promise<void> => {
    const { exitCode, all } = await checkout.lab(...args);
    expect(exitCode, all).to.equal(0);
  };

  const start = (...args: string[]) =>
    execa("node", ["--import", "tsx", ...args, "--lab"], { cwd: checkout.path, all: true, reject: false });

  const rebuild = async (...args: string[]): Promise<Ended> =>
    start("operations/main.ts", "rebuild", "dev", "--yes", "--confirm", "dev", ...args);

  /** Rebuilds until it is done: an API that fails for a while ends an attempt, and the next one goes on. */
  const rebuildAtLast = async (...args: string[]): Promise<string> => {
    let said = "";
    for (let attempts = 1; attempts <= 6; attempts += 1) {
      const { exitCode, all } = await rebuild(...args);
      said += all;
      if (exitCode === 0) return said;
    }
    throw new Error(`The rebuild does not come to an end: ${said}`);
  };

  /** Kills a rebuild as soon as it says each of several things, one attempt each. */
  const killAt = async (moments: readonly RegExp[], ...args: string[]): Promise<void> => {
    for (const moment of moments) {
      const attempt = start("operations/main.ts", "rebuild", "dev", "--yes", "--confirm", "dev", ...args);
      let said = "";
      attempt.all.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (moment.test(said)) attempt.kill("SIGKILL");
      });
      const { exitCode, signal } = await attempt;
      expect(signal, `${String(moment)}: exit code ${String(exitCode)}, ${said}`).to.equal("SIGKILL");
      noStack(said);
    }
  };

  /** Asks a simulator, by what it offers to the lab alone. */
  const ask = (simulator: "proxmox" | "cloudflare", method: string, path: string, body?: object): Promise<string> => {
    const config = JSON.parse(readFileSync(checkout.file(".lab/dev/lab.json"), "utf8")) as Record<
      string,
      { address: string }
    >;
    const ca = readFileSync(checkout.file(".lab/dev/ca/ca.crt"));
    return new Promise((resolve, reject) => {
      const asked = request(`https://${config[simulator]?.address ?? ""}/lab/${path}`, { method, ca }, (answer) => {
        void text(answer).then((said) => {
          if ((answer.statusCode ?? 500) < 300) resolve(said);
          else reject(new Error(`${simulator} refuses ${path}: ${String(answer.statusCode)} ${said}`));
        }, reject);
      });
      asked.on("error", reject);
      asked.end(body && JSON.stringify(body));
    });
  };

  const fault = (simulator: "proxmox" | "cloudflare", body: object) => ask(simulator, "POST", "faults", body);

  /** Faults that no request has met. */
  const unmet = async (): Promise<unknown[]> =>
    (await Promise.all([ask("proxmox", "GET", "faults"), ask("cloudflare", "GET", "faults")])).flatMap(
      (faults) => JSON.parse(faults) as unknown[],
    );

  const records = async (): Promise<string[]> =>
    (JSON.parse(await ask("cloudflare", "GET", "state")) as { recordNames: string[] }).recordNames;

  const noStack = (text: string): void => {
    expect(text).not.to.match(/^ +at .*:\d+:\d+/m);
  };

  before(async () => {
    const volumes = ["snapshot-controller", "rook-ceph", "volsync", "cloudnative-pg", "linkding"];
    checkout = await LabCheckout.createSmall(128, ...volumes);
    // Its volume has no backup before the test makes one.
    await checkout.edit("gitops/apps/linkding/flux.yaml", (text) =>
      text.replace(/postgres_size: /, 'empty_until: "2999-12-31"\n      $&'),
    );
    await checkout.commit("Let the volume begin empty");
    await lab("up", "dev", "--volumes");
    const { exitCode, all } = await start("operations/main.ts", "escrow", "dev");
    expect(exitCode, all).to.equal(0);
  });

  after(() => checkout.remove());

  it("brings everything back in every case, and the preview is empty", async () => {
    const { exitCode, all } = await start("operations/main.ts", "rehearse", "dev", "--svg", ".hearth/timeline.svg");
    expect(exitCode, all).to.equal(0);
    for (const name of ["machines", "all", "state"]) {
      const [, same, total] = new RegExp(`^${name} .* (\\d+) of (\\d+)$`, "m").exec(all) ?? [];
      expect(Number(total), all).to.be.greaterThan(16);
      expect(same, all).to.equal(total);
    }
    expect(all).not.to.contain("files of volumes");
    expect(readFileSync(checkout.file(".hearth/timeline.svg"), "utf8").match(/ lost; back after /g)).to.have.length(3);
  });

  it("has nothing to do where nothing is lost", async () => {
    const { exitCode, all } = await rebuild();
    expect(exitCode).to.equal(1);
    expect(all).to.contain("There is nothing to rebuild");
  });

  it("makes one lost worker anew, and leaves the others alone", async () => {
    await lab("lose", "dev", "den-dev-wk02");
    const { exitCode, all } = await rebuild();
    expect(exitCode, all).to.equal(0);
    expect(all)
      .to.match(/made anew +den-dev-wk02\n/)
      .and.to.match(/kept +den-dev-cp01, den-dev-wk01\n/);
  });

  it("takes a lost state over however often it is killed, and touches nothing", async () => {
    await lab();
    const uid = () =>
      checkout.shell("kubectl get nodes,pods --all-namespaces --output jsonpath={.items[*].metadata.uid}");
    const before = String((await uid()).stdout);
    await lab("lose", "dev", "state");
    await killAt([
      /Begin a new state/,
      /Take over what exists/,
      /found den-dev-cp01/,
      /found flux-operator/,
      /Make sure that/,
    ]);
    const { exitCode, all } = await rebuild();
    expect(exitCode, all).to.equal(0);
    await lab();
    expect(String((await uid()).stdout)).to.equal(before);
  });

  it("goes on where machines are lost, however often it is killed", async () => {
    await lab("lose", "dev", "machines");
    await killAt([
      /Forget what is lost/,
      /Build what is missing/,
      /machines: .*den-dev-/,
      /Bring everything to what/,
      /Let Git fill/,
    ]);
    const { exitCode, all } = await rebuild();
    expect(exitCode, all).to.equal(0);
    await lab();
  });

  it("finds what an interrupted update had begun, and makes it once", async () => {
    await checkout.edit("Pulumi.dev.yaml", (text) =>
      text.replace("- hostname: welcome", "- { hostname: late-dev.example.com, service: http_status:404 }\n      $&"),
    );
    await checkout.commit("Add a name");
    // Cloudflare makes the record, and the engine never hears of it.
    await fault("cloudflare", { path: "dns_records$", method: "POST", drop: "after" });
    await fault("cloudflare", { path: "dns_records", delayMs: 60_000, times: 5 });
    const update = checkout.lab();
    const isThere = async () => (await records()).includes("CNAME late-dev.example.com");
    try {
      await eventually("the record is made", isThere, 300);
      process.kill(Number(readFileSync(checkout.file(".lab/dev/engine.pid"), "utf8")), "SIGKILL");
      expect((await update).exitCode).not.to.equal(0);
    } finally {
      await ask("cloudflare", "DELETE", "faults");
    }
    const { exitCode, all } = await rebuild();
    expect(exitCode, all).to.equal(0);
    expect(all).to.contain("An update was interrupted");
    expect((await records()).filter((name) => name.includes("late-dev."))).to.have.length(1);
  });

  it("says what to do where the token of Cloudflare was revoked", async () => {
    const token = String((await checkout.shell("pulumi config get hearth:cloudflareToken")).stdout);
    const set = (value: string) =>
      checkout.shell(`printf %s '${value}' | pulumi config set --secret hearth:cloudflareToken`);
    await set("revoked-token-0123456789");
    await lab("lose", "dev", "den-dev-wk02");
    const refused = await rebuild();
    expect(refused.exitCode, refused.all).to.equal(1);
    expect(refused.all).to.contain("Cloudflare refuses the token").and.to.contain("pulumi config set --secret");
    noStack(refused.all);
    await set(token);
    const { exitCode, all } = await rebuild();
    expect(exitCode, all).to.equal(0);
  });

  describe("when everything is lost", () => {
    let snapshot: string;

    before(async () => {
      snapshot = checkout.file("etcd.db");
      const { exitCode, all } = await checkout.shell(
        `talosctl -n 127.128.0.11 -e 127.128.0.11 etcd snapshot ${snapshot}`,
      );
      expect(exitCode, String(all)).to.equal(0);
      await lab("lose", "dev", "all");
    });

    it("refuses a snapshot that is damaged, and says what to do", async () => {
      const damaged = checkout.file("damaged.db");
      const content = readFileSync(snapshot);
      content.writeUInt8(content.readUInt8(9000) ^ 1, 9000);
      writeFileSync(damaged, content);
      const { exitCode, all } = await rebuild("--etcd", damaged);
      expect(exitCode).to.equal(1);
      expect(all).to.match(/damaged\.db is no whole snapshot of etcd.*use another one, or leave --etcd out/s);
      noStack(all);
    });

    it("refuses an escrow that was cut off, and one that was changed into another stack's", async () => {
      const whole = readFileSync(checkout.file(".lab/dev/escrow.sops.yaml"), "utf8");
      writeFileSync(checkout.file("cut.sops.yaml"), whole.slice(0, whole.length / 2));
      writeFileSync(checkout.file("other.sops.yaml"), whole.replace(/^stack: "?dev"?$/m, 'stack: "prod"'));
      const cut = await rebuild("--from", "cut.sops.yaml");
      const other = await rebuild("--from", "other.sops.yaml");
      expect([cut.exitCode, other.exitCode]).to.deep.equal([1, 1]);
      expect(cut.all).to.match(/cut\.sops\.yaml is damaged: .*Take it from Git's history/);
      expect(other.all).to.contain("other.sops.yaml is the escrow of stack prod, not of dev");
      noStack(cut.all + other.all);
    });

    it("says that there is no escrow, where there is none", async () => {
      const { all } = await rebuild("--from", "absent.sops.yaml");
      expect(all).to.match(/absent\.sops\.yaml cannot be read \(ENOENT\): name the file with --from/);
    });

    it("goes on where it was after it was killed at each of its phases", async () => {
      const moments = [
        /machines: .*den-dev-/,
        /talos: .*den-dev-/,
        /talos: bootstrap|found bootstrap/,
        /network: cilium|found cilium/,
        /gitops: |found flux-operator/,
        /Bring everything to what/,
        /Forget volumes/,
        /Let Git fill the cluster/,
      ];
      await killAt(moments, "--etcd", snapshot);
      const { exitCode, all } = await rebuild("--etcd", snapshot);
      expect(exitCode, all).to.equal(0);
      expect(all).to.match(/Going on with the rebuild of dev/);
    });

    it("leaves no process behind", async () => {
      const running = async (): Promise<string[]> => {
        const { stdout } = await execa("ps", ["-A", "-o", "pid=,args="]);
        return stdout.split("\n").filter((line) => {
          if (!/pulumi|policy\/main/.test(line)) return false;
          return line.includes(checkout.path) || folderOf(line.trim().split(" ")[0] ?? "").startsWith(checkout.path);
        });
      };
      let left: string[] = [];
      const isQuiet = async () => (left = await running()).length === 0;
      await eventually("the engine, its plugins and the policies are gone", isQuiet, 60).catch(() => undefined);
      expect(left).to.deep.equal([]);
    });
  });

  it("survives APIs that fail, throttle, hang and hang up", async () => {
    await lab("lose", "dev", "all");
    await fault("proxmox", { path: "qemu", status: 500, times: 2 });
    await fault("proxmox", { path: "download-url|storage", status: 503, times: 1 });
    await fault("proxmox", { path: "", drop: "before", times: 2 });
    await fault("proxmox", { path: "status", delayMs: 3000, times: 2 });
    await fault("cloudflare", { path: "cfd_tunnel", status: 429, retryAfter: 1, times: 2 });
    await fault("cloudflare", { path: "dns_records", status: 500, times: 1 });
    await fault("cloudflare", { path: "", drop: "before", times: 1 });
    noStack(await rebuildAtLast());
    expect(await unmet()).to.deep.equal([]);
    // Writes down what a shell needs, and previews.
    await lab();
    const { stdout } = await checkout.shell("kubectl get nodes --output name");
    expect(String(stdout).split("\n")).to.have.length(3);
  });
});

/** The folder that a process runs in; empty where it is gone. */
const folderOf = (pid: string): string => {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
};
