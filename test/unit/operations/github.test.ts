import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { github } from "../../../operations/github/cli.ts";
import { callOf } from "../../support/hearth.ts";
import { GitHubSimulator } from "../../support/github.ts";

const bot = "github-actions[bot]";

describe("npx hearth github", () => {
  let simulator: GitHubSimulator;
  let url: string;
  let folder: string;
  let report: string;

  beforeEach(async () => {
    simulator = new GitHubSimulator("den/hearth", {
      t0ken: { login: bot, permissions: ["issues", "pull-requests"] },
      reader: { login: bot, permissions: [] },
    });
    url = await simulator.start();
    simulator.open(7, "somebody", true);
    folder = mkdtempSync(join(tmpdir(), "hearth-github-"));
    report = join(folder, "report.md");
    writeFileSync(report, "# dev\n\nNothing changes.\n");
  });

  afterEach(() => {
    simulator.stop();
    rmSync(folder, { recursive: true });
  });

  const run = async (args: string[], token = "t0ken", repository = "den/hearth"): Promise<string> => {
    const printed: string[] = [];
    const env = { GITHUB_API_URL: url, GITHUB_REPOSITORY: repository, GITHUB_TOKEN: token };
    await github(await callOf("github", args, { print: (text) => printed.push(text) }), env);
    return printed.join("\n");
  };

  const failure = async (...args: Parameters<typeof run>): Promise<string> => {
    try {
      return `no failure: ${await run(...args)}`;
    } catch (error) {
      return (error as Error).message;
    }
  };

  const comment = (name = "preview dev") => ["comment", "--pull-request", "7", "--name", name, report];

  describe("comment", () => {
    it("writes a comment where there is none", async () => {
      expect(await run(comment())).to.equal("Comment preview dev: created");
      expect(simulator.comments.map(({ issue, body }) => [issue, body])).to.deep.equal([
        [7, "<!-- hearth: preview dev -->\n# dev\n\nNothing changes.\n"],
      ]);
    });

    it("edits its own in place, and leaves others alone", async () => {
      simulator.say(7, "somebody", "Looks good");
      await run(comment("preview prod"));
      await run(comment());
      writeFileSync(report, "# dev\n\nOne change.\n");
      expect(await run(comment())).to.equal("Comment preview dev: edited");
      expect(simulator.comments).to.have.length(3);
      expect(simulator.comments[2]?.body).to.contain("One change.");
      expect(simulator.comments[1]?.body).to.contain("Nothing changes.");
    });

    it("writes nothing where it says the same already", async () => {
      await run(comment());
      expect(await run(comment())).to.equal("Comment preview dev: unchanged");
      expect(simulator.writes).to.have.length(1);
    });

    it("finds its own behind a hundred others", async () => {
      await run(comment());
      const [own] = simulator.comments.splice(0, 1);
      for (let count = 0; count < 130; count += 1) simulator.say(7, "somebody", "more");
      if (own) simulator.comments.push(own);
      expect(await run(comment())).to.equal("Comment preview dev: unchanged");
    });

    it("does not touch a stranger's comment that has its marker", async () => {
      simulator.say(7, "mallory", "<!-- hearth: preview dev -->\nAll is fine, merge me");
      expect(await run(comment())).to.equal("Comment preview dev: created");
      expect(simulator.comments[0]?.body).to.contain("merge me");
    });

    it("cuts what GitHub would refuse, and says so", async () => {
      writeFileSync(report, `# dev\n\n\`\`\`diff\n${"+ a changed line\n".repeat(8000)}\`\`\`\n`);
      await run(comment());
      const body = simulator.comments[0]?.body ?? "";
      expect(body.length).to.be.within(60_000, 65_536);
      expect(body).to.match(/\n```\n\n_Cut here, as GitHub takes no more/);
    });

    it("tries again after a fault of GitHub", async function () {
      this.timeout(15_000);
      simulator.faults.push({ status: 502 });
      expect(await run(comment())).to.equal("Comment preview dev: created");
    });
  });

  describe("issue", () => {
    const drift = (title = "dev has drifted") => ["issue", "--name", "drift dev", "--title", title, report];

    it("opens one, and says the news in it", async () => {
      expect(await run(drift())).to.equal("Issue drift dev: opened");
      writeFileSync(report, "Another machine is gone.\n");
      expect(await run(drift())).to.equal("Issue drift dev: updated");
      expect(await run(drift())).to.equal("Issue drift dev: unchanged");
      const own = simulator.issues.filter(({ user }) => user.login === bot);
      expect(own).to.have.length(1);
      expect(own[0]).to.include({ title: "dev has drifted", state: "open" });
      expect(own[0]?.body).to.contain("Another machine is gone.");
    });

    it("keeps one a stack", async () => {
      await run(drift());
      await run(["issue", "--name", "drift prod", "--title", "prod has drifted", report]);
      expect(simulator.issues.filter(({ user }) => user.login === bot)).to.have.length(2);
    });

    it("closes it with a reason, and opens another one the next time", async () => {
      await run(drift());
      expect(await run(["close", "--name", "drift dev", "It is as it should be"])).to.equal("Issue drift dev: closed");
      expect(simulator.comments.map(({ body }) => body)).to.deep.equal(["It is as it should be"]);
      expect(await run(["close", "--name", "drift dev", "again"])).to.equal("Issue drift dev: none");
      expect(await run(drift())).to.equal("Issue drift dev: opened");
    });

    it("does not take a pull request for it", async () => {
      simulator.open(8, bot, true, "<!-- hearth: drift dev -->");
      expect(await run(drift())).to.equal("Issue drift dev: opened");
    });
  });

  describe("reviewed", () => {
    const reviewed = async (...names: string[]): Promise<[number, string[]]> => {
      const complaints: string[] = [];
      const env = { GITHUB_API_URL: url, GITHUB_REPOSITORY: "den/hearth", GITHUB_TOKEN: "t0ken" };
      const call = await callOf("github", ["reviewed", ...names], { complain: (text) => complaints.push(text) });
      return [await github(call, env), complaints];
    };

    beforeEach(() => {
      Object.assign(simulator.environments, {
        sound: { reviewers: ["den"], branches: ["main"] },
        unread: { reviewers: [], branches: ["main"] },
        wide: { reviewers: ["den"], branches: ["main", "release/*"] },
        open: { reviewers: [] },
      });
    });

    it("lets an environment pass that has a reviewer and admits main alone", async () => {
      expect(await reviewed("sound")).to.deep.equal([0, []]);
    });

    it("refuses all others, and says what to do", async () => {
      const [code, complaints] = await reviewed("sound", "unread", "wide", "open", "nowhere");
      expect(code).to.equal(1);
      expect(complaints.map((text) => text.split(":")[0])).to.deep.equal([
        "unread has no reviewer",
        "wide admits more than main",
        "open has no reviewer",
        "open admits more than main",
        "nowhere does not exist, or the token may not see it",
      ]);
    });
  });

  describe("what goes wrong", () => {
    it("is told with what to do, and without the token", async () => {
      expect(await failure(comment(), "wr0ng"))
        .to.contain("GITHUB_TOKEN is not valid")
        .and.not.to.contain("wr0ng");
      expect(await failure(comment(), "reader")).to.contain("pull-requests: write");
      expect(await failure(comment(), "t0ken", "den/other")).to.contain("404");
      expect(await failure(comment(), "")).to.contain("GITHUB_TOKEN is not set");
      expect(await failure(["comment", "--name", "x", report])).to.contain("--pull-request is missing");
      expect(await failure(["comment", "--pull-request", "x7", "--name", "x", report])).to.contain("is not a number");
      expect(await failure(["comment", "--pull-request", "7", "--name", "x", "nowhere.md"])).to.contain("nowhere.md");
      expect(await failure(["dance", "--name", "x", report])).to.contain("Usage:");
    });
  });
});
