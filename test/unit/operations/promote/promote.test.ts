import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import type { Call } from "../../../../lib/terminal/command.ts";
import type { FluxHealth } from "../../../../lib/cluster/flux-health.ts";
import { PromotedBranch, type Commits } from "../../../../operations/promote/branch.ts";
import { carryOut, type PromoteFlags } from "../../../../operations/promote/cli.ts";
import { decide, former, type Decision, type Promotion } from "../../../../operations/promote/promote.ts";
import { callOf } from "../../../support/hearth.ts";

const hour = 3_600_000;

describe("a promotion", function () {
  this.timeout(60_000);
  let folder: string;
  let repository: string;
  let clone: string;

  const git = async (...args: string[]): Promise<string> => {
    const author = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
    return (await execa("git", [...author, ...args], { cwd: clone })).stdout.trim();
  };

  /** Pushes another commit to a branch, and returns it. */
  const push = async (subject: string, branch = "main"): Promise<string> => {
    await git("commit", "--quiet", "--allow-empty", "--message", subject);
    await git("push", "--quiet", "origin", `HEAD:refs/heads/${branch}`);
    return git("rev-parse", "HEAD");
  };

  const refs = async (): Promise<Record<string, string>> => {
    const lines = (await execa("git", ["show-ref"], { cwd: repository, reject: false })).stdout.split("\n");
    return Object.fromEntries(lines.map((line) => line.split(" ").reverse() as [string, string]));
  };

  const within = <T>(work: (branch: PromotedBranch) => Promise<T>): Promise<T> =>
    PromotedBranch.with(repository, "prod", { source: "main", target: "prod" }, work);

  const well = (commit: string | undefined, change: Partial<FluxHealth> = {}): FluxHealth => ({
    ...{ commit, failures: [], isBusy: false, since: 0, suspended: [] },
    ...change,
  });

  /** Decides a day and an hour after the first stack has had the commit. */
  const decided = (health: FluxHealth, change: Partial<Promotion> = {}): Promise<Decision> =>
    within((branch) =>
      decide(branch, health, { from: "dev", stack: "prod", healthyFor: 24 * hour, again: false, ...change }, 25 * hour),
    );

  const promoted = (commit: string): Promise<void> => within((branch) => branch.promote(commit));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-scratch-"));
    [repository, clone] = [join(folder, "repository.git"), join(folder, "clone")];
    await execa("git", ["init", "--quiet", "--bare", "--initial-branch=main", repository]);
    await execa("git", ["clone", "--quiet", repository, clone], { cwd: folder });
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("gives the branch its first commit, and then each later one", async () => {
    const first = await push("First");
    expect(await decided(well(first))).to.deep.equal({ outcome: "move", to: first, commits: [] });
    await promoted(first);
    await push("Second");
    const third = await push("Third");
    const decision = await decided(well(third));
    expect(decision).to.include({ outcome: "move", to: third });
    expect(decision.outcome === "move" && decision.commits.map((line) => line.replace(/^\S+ /, ""))).to.deep.equal([
      "Third",
      "Second",
    ]);
    await promoted(third);
    expect(await refs()).to.include({ "refs/heads/prod": third, "refs/hearth/promotion/prod/before": first });
  });

  it("moves to what the first stack runs, not to what its branch has", async () => {
    const first = await push("First");
    await push("Not yet applied");
    expect(await decided(well(first))).to.include({ outcome: "move", to: first });
  });

  it("has nothing to do where both run the same", async () => {
    const first = await push("First");
    await promoted(first);
    expect(await decided(well(first))).to.include({ outcome: "nothing" });
  });

  it("waits until the first stack was well for long enough", async () => {
    const first = await push("First");
    const reason = async (change: Partial<FluxHealth>): Promise<string> => {
      const decision = await decided(well(first, change));
      return decision.outcome === "wait" ? decision.reason.replace(first.slice(0, 10), "COMMIT") : decision.outcome;
    };
    expect(await reason({ since: 2 * hour })).to.equal("dev has run COMMIT healthily for 23.0 h of 24.0 h");
    expect(await reason({ since: Infinity })).to.equal("dev has run COMMIT healthily for no time of 24.0 h");
    expect(await reason({ since: hour })).to.equal("move");
    expect(await reason({ isBusy: true })).to.equal("dev is still applying COMMIT");
    expect(await reason({ failures: ["HelmRelease a/b is not ready: no"] })).to.equal(
      "dev is not well with COMMIT: HelmRelease a/b is not ready: no",
    );
    expect(await decided(well(undefined))).to.deep.equal({ outcome: "wait", reason: "dev has fetched no commit yet" });
  });

  it("is refused to a commit that does not come after the present one", async () => {
    const first = await push("First");
    const second = await push("Second");
    await promoted(second);
    const error = await decided(well(first)).catch((reason: unknown) => reason);
    expect(String(error)).to.contain(
      `${first.slice(0, 10)}, which dev runs, does not come after ${second.slice(0, 10)}`,
    );
    expect((await refs())["refs/heads/prod"]).to.equal(second);
  });

  it("waits where the first stack runs what its branch has lost", async () => {
    await push("First");
    expect(await decided(well("1".repeat(40)))).to.include({ outcome: "wait" });
  });

  it("goes back by one command, and does not come again by itself", async () => {
    const first = await push("First");
    const second = await push("Second");
    await promoted(first);
    await promoted(second);
    await within(async (branch) => {
      const { to, commits } = await former(branch, "prod", undefined);
      expect(to).to.equal(first);
      expect(commits).to.have.length(1);
      await branch.back(to);
    });
    const after = await refs();
    expect(after).to.include({ "refs/heads/prod": first, "refs/hearth/promotion/prod/refused": second });
    expect(after).not.to.have.property("refs/hearth/promotion/prod/before");
    expect(await decided(well(second))).to.include({ outcome: "nothing" });
    expect(await decided(well(second), { again: true })).to.include({ outcome: "move", to: second });
    const mended = await push("Mended");
    expect(await decided(well(mended))).to.include({ outcome: "move", to: mended });
    await promoted(mended);
    expect(await refs()).not.to.have.property("refs/hearth/promotion/prod/refused");
  });

  it("goes back to the commit that a person names, of those that there are", async () => {
    const [first, second, third] = [await push("First"), await push("Second"), await push("Third")];
    const told = (asked: string | undefined): Promise<string> =>
      within((branch) => former(branch, "prod", asked)).then(
        ({ to }) => to,
        (error: unknown) => String(error),
      );
    expect(await told(undefined)).to.contain("prod has no commit yet");
    await promoted(third);
    expect(await told(undefined)).to.contain("Nothing says what prod had before: name the commit");
    expect(await told(first.slice(0, 10))).to.equal(first);
    expect(await told(second)).to.equal(second);
    expect(await told(third)).to.contain("prod has");
    expect(await told("--output=x")).to.contain("The branches have no commit --output=x");
  });

  it("does not undo what another one did meanwhile", async () => {
    const [first, second, third] = [await push("First"), await push("Second"), await push("Third")];
    await promoted(first);
    const late = within(async (branch) => {
      await promoted(third);
      await branch.promote(second);
    });
    expect(String(await late.catch((error: unknown) => error))).to.contain("Somebody else moved the branch at");
    // All of it or nothing: the ref beside the branch has not moved either.
    expect(await refs()).to.include({ "refs/heads/prod": third, "refs/hearth/promotion/prod/before": first });
  });

  describe("by the command", () => {
    const run = async (args: string[], health: FluxHealth, agrees = true) => {
      const printed: string[] = [];
      const call = (await callOf("promote", ["prod", ...args], {
        print: (text) => void printed.push(text),
      })) as Call<PromoteFlags>;
      const exitCode = await carryOut(
        { ...call, agreed: () => Promise.resolve(agrees) },
        {
          repository,
          branches: { source: "main", target: "prod" },
          promotion: { from: "dev", healthyFor: "24h" },
          ask: () => Promise.resolve(health),
        },
      );
      return { exitCode, printed: printed.join("\n") };
    };

    it("asks before it moves the branch, and changes nothing unless somebody agrees", async () => {
      await promoted(await push("First"));
      const second = await push("Second");
      const refused = await run([], well(second), false);
      expect(refused).to.deep.equal({
        exitCode: 1,
        printed: `prod gets ${second.slice(0, 10)}, with:\n  ${second.slice(0, 7)} Second`,
      });
      expect((await refs())["refs/heads/prod"]).not.to.equal(second);
      expect((await run([], well(second))).exitCode).to.equal(0);
      expect((await refs())["refs/heads/prod"]).to.equal(second);
    });

    it("ends with 2 where it is too early", async () => {
      const first = await push("First");
      expect((await run([], well(first, { since: Date.now() - hour }))).exitCode).to.equal(2);
      expect(await refs()).not.to.have.property("refs/heads/prod");
    });

    it("goes back, and ends with 0 where there is nothing to do", async () => {
      const first = await push("First");
      await promoted(first);
      await promoted(await push("Second"));
      expect((await run(["--back"], well(undefined))).exitCode).to.equal(0);
      expect((await refs())["refs/heads/prod"]).to.equal(first);
      expect(await run([], well(first))).to.deep.equal({
        exitCode: 0,
        printed: `prod has ${first.slice(0, 10)}, as dev has`,
      });
    });
  });

  it("says where a repository cannot be read", async () => {
    await writeFile(join(folder, "file"), "");
    repository = join(folder, "file");
    const error = await within((branch) => Promise.resolve<Commits>(branch.commits)).catch((reason: unknown) => reason);
    expect(String(error)).to.match(/git ls-remote at .* failed: fatal/);
  });
});
