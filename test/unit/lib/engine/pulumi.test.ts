import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { Locked } from "../../../../lib/engine/locked.ts";
import { PulumiStack, update } from "../../../../lib/engine/pulumi-stack.ts";
import { Pulumi } from "../../../../lib/engine/pulumi.ts";
import { Problem } from "../../../../toolchain/problem.ts";
import { failureOf } from "../../../support/failure.ts";

describe("PulumiStack", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-pulumi-"));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  /** A stack whose engine is a shell script. */
  const stackOf = async (script: string, environment = {}): Promise<PulumiStack> => {
    const program = join(folder, "pulumi");
    await writeFile(program, `#!/bin/sh\n${script}\n`);
    await chmod(program, 0o700);
    return new PulumiStack(new Pulumi(program, folder, environment), "dev", join(folder, "Pulumi.dev.yaml"));
  };

  it("says of a failed command which it was and its last line", async () => {
    const stack = await stackOf("echo 'one' >&2; echo 'error: the passphrase is wrong' >&2; exit 255");
    const error = await failureOf(stack.state());
    expect(error).to.be.instanceOf(Problem);
    expect(error.message).to.equal("pulumi stack export failed for dev: the passphrase is wrong");
  });

  it("says how a stack that the backend does not know is made", async () => {
    const error = await failureOf((await stackOf("echo \"error: no stack named 'dev' found\" >&2; exit 255")).state());
    expect(error.message).to.contain("pulumi stack init dev makes it");
  });

  it("says that there is no pulumi", async () => {
    const stack = new PulumiStack(new Pulumi("/nowhere/pulumi", folder), "dev", "");
    for (const work of [stack.state(), stack.run(["preview"])]) {
      expect((await failureOf(work)).message).to.contain("There is no pulumi on PATH");
    }
  });

  it("names who has locked the state", async () => {
    const lock = "created by me@here (pid 1) at 2027-01-01T00:00:00Z";
    const error = await failureOf((await stackOf(`echo 'error: ${lock}' >&2; exit 255`)).state());
    expect(error).to.be.instanceOf(Locked);
  });

  describe("changing the state", () => {
    const state = (version: number) => ({ version, deployment: {} });

    /** An engine whose state is in a file; after so many exports somebody else writes it. */
    const movingAfter = (exports: number) =>
      stackOf(`
        case "$2" in
          import) cat > ${folder}/state ;;
          export)
            cat ${folder}/state
            echo >> ${folder}/exports
            if [ "$(wc -l < ${folder}/exports)" -eq ${exports.toString()} ]; then echo '${JSON.stringify(state(7))}' > ${folder}/state; fi ;;
        esac`);
    const now = async () => JSON.parse(await readFile(join(folder, "state"), "utf8")) as unknown;

    beforeEach(() => writeFile(join(folder, "state"), JSON.stringify(state(3))));

    it("changes what it is now", async () => {
      await (await movingAfter(99)).changeState(({ version, ...rest }) => ({ ...rest, version: version + 1 }));
      expect(await now()).to.deep.equal(state(4));
    });

    it("imports nothing over a state that somebody else has written meanwhile", async () => {
      for (const exports of [1, 2]) {
        await rm(join(folder, "exports"), { force: true });
        await writeFile(join(folder, "state"), JSON.stringify(state(3)));
        const error = await failureOf((await movingAfter(exports)).changeState(() => state(4)));
        expect(error.message).to.contain("was changed by somebody else meanwhile, and is left as it is");
        expect(await now()).to.deep.equal(state(7));
      }
    });
  });

  describe("with a lock on the state", () => {
    /** An engine that finds a lock until somebody cancels it. */
    const lockedBy = (host: string, pid: number) =>
      stackOf(`
        if [ "$1" = cancel ]; then echo > ${folder}/cancelled; exit 0; fi
        if [ -e ${folder}/cancelled ]; then exit 0; fi
        echo 'error: the stack is currently locked' >&2
        echo '  created by me@${host} (pid ${pid.toString()}) at 2027-01-01T00:00:00Z' >&2
        exit 255`);
    const isCancelled = () => existsSync(join(folder, "cancelled"));

    it("takes it off where its engine is gone, and updates then", async () => {
      const gone = spawnSync(process.execPath, ["-e", ""]).pid;
      expect((await (await lockedBy(hostname(), gone)).try(update)).exitCode).to.equal(0);
      expect(isCancelled()).to.equal(true);
    });

    it("leaves it where its engine runs, or may run on another computer", async () => {
      for (const stack of [await lockedBy(hostname(), process.pid), await lockedBy("desk", 999_999_999)]) {
        expect((await stack.try(update)).exitCode).to.equal(255);
        const error = await failureOf(stack.run(update));
        expect(error).to.be.instanceOf(Locked);
        expect(isCancelled()).to.equal(false);
      }
    });
  });

  it("follows the events of a run, and passes over other lines", async () => {
    const stack = await stackOf(`
      echo '{"resourcePreEvent":{"metadata":{"op":"create","urn":"urn:pulumi:dev::hearth::a:b:C::x","type":"a:b:C"}}}'
      echo 'no event'
      echo '{"summaryEvent":{"durationSeconds":1,"resourceChanges":{"create":1}}}'`);
    const lines: string[] = [];
    const report = await stack.run(update, { onLine: (line) => lines.push(line) });
    expect(report.changes).to.deep.equal(["create C x"]);
    expect(report.counts).to.deep.equal({ create: 1 });
    expect(lines).to.include("no event").and.to.have.length(3);
  });

  it("tells why a run failed, and where its log is", async () => {
    const stack = await stackOf(`
      echo '{"diagnosticEvent":{"message":"no space left","severity":"error"}}'
      exit 255`);
    const error = await failureOf(stack.run(update, { log: "/logs/up.log" }));
    expect(error.message).to.equal("pulumi up of dev failed (log: /logs/up.log):\n  no space left");
  });

  describe("where the Kubernetes API does not answer when the plugin starts", () => {
    const unreached = "failed to read resource state due to unreachable cluster. If the cluster was deleted, …";

    /** An engine that fails the first time, for a resource each, or for none. */
    const failingOnce = (...messages: string[]) => {
      const urnOf = (message: string) =>
        message === "no resource's" ? {} : { urn: "urn:pulumi:dev::hearth::kubernetes:a:B::c" };
      const events = messages.map((message) =>
        JSON.stringify({ diagnosticEvent: { ...urnOf(message), message, severity: "error" } }).replaceAll("'", ""),
      );
      return stackOf(`
        echo >> '${folder}/runs'
        if [ "$(wc -l < '${folder}/runs')" -gt 1 ]; then exit 0; fi
        ${events.map((event) => `echo '${event}'`).join("\n")}
        exit 255`);
    };

    it("updates again, for the program waits until it does", async () => {
      expect((await (await failingOnce(unreached, unreached)).try(update)).exitCode).to.equal(0);
    });

    it("does not where something else failed as well, nor a preview, nor what would replace a machine twice", async () => {
      for (const other of ["no space left", "no resource's"]) {
        expect((await (await failingOnce(unreached, other)).try(update)).exitCode).to.equal(255);
        await rm(join(folder, "runs"));
      }
      for (const operation of [["preview"], ["up", "--yes", "--replace", "urn"]] as const) {
        expect((await (await failingOnce(unreached)).try(operation)).exitCode).to.equal(255);
        await rm(join(folder, "runs"));
      }
    });
  });

  it("names the policy packs in place of those of the environment", async () => {
    const file = join(folder, "seen");
    const stack = await stackOf(`echo "$* [$PULUMI_OPTION_POLICY_PACK]" >> '${file}'`, {
      PULUMI_OPTION_POLICY_PACK: "/lab/pack",
    });
    await stack.run(["preview"], { policyPacks: ["/mine"] });
    await stack.run(["preview"], { policyPacks: [] });
    await stack.run(["preview"]);
    const [mine, none, usual] = (await readFile(file, "utf8")).split("\n");
    expect(mine).to.contain("--policy-pack /mine").and.to.contain("[]");
    expect(none).to.contain("[]");
    expect(usual).to.contain("[/lab/pack]");
    for (const each of [none, usual]) expect(each).to.not.contain("--policy-pack");
  });

  it("interrupts the engine once, and gives the reason", async () => {
    const file = join(folder, "interrupted");
    const stack = await stackOf(`trap 'echo >> ${file}; exit 1' INT\necho '{}'\nwhile :; do sleep 0.05; done`);
    const abort = new AbortController();
    const reason = new Problem("Somebody wanted to stop");
    const work = stack.run(update, {
      signal: abort.signal,
      onEvent: () => {
        abort.abort(reason);
      },
    });
    expect(await failureOf(work)).to.equal(reason);
    expect(await readFile(file, "utf8")).to.equal("\n");
  });

  it("kills an engine that does not end in the time that it has", async () => {
    const stack = await stackOf("trap '' INT\necho '{}'\nexec sleep 60");
    const abort = new AbortController();
    const started = Date.now();
    const work = stack.run(update, {
      ...{ signal: abort.signal, interruptTimeout: 100 },
      onEvent: () => {
        abort.abort(new Problem("Somebody wanted to stop"));
      },
    });
    expect((await failureOf(work)).message).to.equal("Somebody wanted to stop");
    expect(Date.now() - started).to.be.lessThan(5000);
  });
});
