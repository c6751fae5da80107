import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { parse } from "yaml";

import { actionlint } from "../../../operations/workflows/actionlint.ts";
import { dangersOf } from "../../../operations/workflows/dangers.ts";
import { callOf } from "../../support/hearth.ts";

const root = join(import.meta.dirname, "..", "..", "..");

const checkout = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1";

/** A workflow that nothing is wrong with, in which a text is put in place of another. */
const workflow = (from = "", to = ""): string => {
  const text = `name: Test
on:
  pull_request:
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    steps:
      - uses: ${checkout}
        with:
          persist-credentials: false
      - run: npm test
        env:
          TITLE: \${{ github.event.pull_request.title }}
`;
  if (from !== "" && !text.includes(from)) throw new Error(`The workflow has no ${from}`);
  return text.replace(from, to);
};

const problems = (text: string): string[] =>
  dangersOf("w.yml", text).map(({ line, problem }) => `${line.toString()}: ${problem}`);

describe("the dangers of workflows", () => {
  it("are none in a careful one", () => {
    expect(problems(workflow())).to.deep.equal([]);
  });

  const broken: [what: string, from: string, to: string, problem: string][] = [
    [
      "pull_request_target",
      "pull_request:",
      "pull_request_target:",
      "3: pull_request_target runs with this repository's secrets on what a stranger sent",
    ],
    [
      "comments as a start",
      "pull_request:",
      "issue_comment:",
      "3: issue_comment runs with this repository's secrets on what a stranger sent",
    ],
    [
      "a checkout after workflow_run",
      "pull_request:",
      "workflow_run:\n    workflows: [Build]",
      "12: checks out code after workflow_run, with this repository's secrets",
    ],
    [
      "a title in a script",
      "npm test",
      'echo "${{ github.event.pull_request.title }}"',
      "14: pastes an expression into a script",
    ],
    [
      "a branch's name in a script",
      "npm test",
      "git switch ${{ github.head_ref }}",
      "14: pastes an expression into a script",
    ],
    ["an action by its tag", checkout, "actions/checkout@v7", "11: actions/checkout@v7 is not pinned by its digest"],
    ["an action by a branch", checkout, "den/action@main # v1.0.0", "11: den/action@main is not pinned by its digest"],
    ["an image by its tag", checkout, "docker://alpine:3", "11: docker://alpine:3 is not pinned by its digest"],
    [
      "a digest of which nobody knows the release",
      " # v7.0.1",
      "",
      "11: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 does not say its release",
    ],
    [
      "permissions that nobody said",
      "permissions:\n  contents: read\n",
      "",
      "1: permissions of all jobs are not said, or let them write",
    ],
    [
      "all permissions",
      "permissions:\n  contents: read\n",
      "permissions: write-all\n",
      "4: permissions of all jobs are not said, or let them write",
    ],
    [
      "all permissions of a job",
      "timeout-minutes: 10",
      "timeout-minutes: 10\n    permissions: write-all",
      "10: job test has all permissions of a kind",
    ],
    [
      "a token that stays",
      "          persist-credentials: false\n",
      "          fetch-depth: 0\n",
      "11: leaves the token in the checkout",
    ],
    ["a job without an end", "    timeout-minutes: 10\n", "", "8: job test may run for six hours"],
  ];

  for (const [what, from, to, problem] of broken) {
    it(`are found: ${what}`, () => {
      expect(problems(workflow(from, to))).to.deep.equal([problem]);
    });
  }

  it("are found: secrets on pull requests of forks, without an environment", () => {
    const secret = workflow("${{ github.event.pull_request.title }}", "${{ secrets.TOKEN }}");
    expect(problems(secret)).to.deep.equal([
      "8: job test has secrets on pull requests of forks",
      "8: job test has secrets without an environment that protects them",
    ]);
    const protectedOne = secret.replace(
      "timeout-minutes: 10",
      "timeout-minutes: 10\n    environment: dev\n    if: github.event.pull_request.head.repo.full_name == github.repository",
    );
    expect(problems(protectedOne)).to.deep.equal([]);
  });

  it("are found: an identity token on pull requests of forks", () => {
    const token = workflow("timeout-minutes: 10", "timeout-minutes: 10\n    permissions: { id-token: write }");
    expect(problems(token)).to.have.length(2);
  });

  it("are found in the steps of an action too", () => {
    const action = `name: a
description: b
runs:
  using: composite
  steps:
    - uses: actions/setup-node@v7
    - run: echo \${{ inputs.name }}
      shell: bash
`;
    expect(problems(action)).to.deep.equal([
      "7: pastes an expression into a script",
      "6: actions/setup-node@v7 is not pinned by its digest",
    ]);
  });

  it("are told of what is no YAML", () => {
    expect(problems("on: [push\njobs: {")).to.deep.equal(["2: is not YAML"]);
  });
});

describe("actionlint", function () {
  // The first time it is built.
  this.timeout(180_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "hearth-actionlint-"));
    mkdirSync(join(folder, ".github", "workflows"), { recursive: true });
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  const lint = async (text: string): Promise<string[]> => {
    writeFileSync(join(folder, ".github", "workflows", "w.yml"), text);
    return (await actionlint(root, [".github/workflows/w.yml"], folder)).map(
      ({ line, problem }) => `${line.toString()}: ${problem}`,
    );
  };

  it("lets a sound workflow pass", async () => {
    expect(await lint(workflow())).to.deep.equal([]);
  });

  it("finds an event that does not exist", async () => {
    expect((await lint(workflow("pull_request:", "pull_requests:"))).join()).to.match(
      /^3: unknown Webhook event "pull_requests"/,
    );
  });

  it("finds an expression that means nothing", async () => {
    expect((await lint(workflow("github.event.pull_request.title", "github.evnt.title"))).join()).to.contain(
      'property "evnt" is not defined',
    );
  });

  it("finds a job that waits for nobody", async () => {
    expect((await lint(workflow("timeout-minutes: 10", "timeout-minutes: 10\n    needs: build"))).join()).to.contain(
      '"build"',
    );
  });
});

describe("the workflows of Hearth", () => {
  interface Job {
    if?: string;
    environment?: unknown;
    needs?: unknown;
    concurrency?: Record<string, unknown>;
    permissions?: Record<string, string>;
  }
  const read = (name: string) =>
    parse(readFileSync(join(root, ".github", "workflows", `${name}.yml`), "utf8")) as {
      on: Record<string, unknown>;
      jobs: Record<string, Job>;
    };

  it("are test, what takes long, preview, deploy, drift and the digests of what is downloaded", () => {
    expect(globSync("*.yml", { cwd: join(root, ".github", "workflows") }).sort()).to.deep.equal([
      "deploy.yml",
      "digests.yml",
      "drift.yml",
      "nightly.yml",
      "preview.yml",
      "test.yml",
    ]);
  });

  it("cancel a preview that a newer one takes the place of, and never a deployment", () => {
    expect(read("preview").jobs.preview?.concurrency?.["cancel-in-progress"]).to.equal(true);
    for (const job of Object.values(read("deploy").jobs))
      expect(job.concurrency?.["cancel-in-progress"]).to.equal(false);
  });

  it("deploy dev first, and prod in an environment of its own", () => {
    const { dev, prod } = read("deploy").jobs;
    expect(dev?.environment).to.equal("dev");
    expect(prod).to.include({ environment: "prod", needs: "dev" });
  });

  it("give the jobs of forks no secret", () => {
    const text = readFileSync(join(root, ".github", "workflows", "test.yml"), "utf8");
    expect(text).not.to.match(/secrets\.|id-token|write/);
  });

  it("call scripts that there are", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const lines = globSync(".github/workflows/*.yml", { cwd: root }).flatMap((file) =>
      readFileSync(join(root, file), "utf8").split("\n"),
    );
    const called = lines.flatMap((line) => /npm run ([\w:-]+)/.exec(line)?.[1] ?? []);
    expect(called).to.include.members(["test:lab", "test:long"]);
    expect(called.filter((name) => scripts[name] === undefined)).to.deep.equal([]);
  });

  it("call commands that there are, with flags that they have", async () => {
    const lines = globSync(".github/workflows/*.yml", { cwd: root }).flatMap((file) =>
      readFileSync(join(root, file), "utf8").split("\n"),
    );
    const called = lines.flatMap((line) => /npx hearth (.+?)(?: \|\| .*)?$/.exec(line)?.[1] ?? []);
    expect(called.map((line) => line.split(" ")[0])).to.have.members(["deploy", "tools", "drift", "preview", "github"]);
    for (const line of called) {
      const [name = "", ...args] = line
        .replaceAll("$STACK", "dev")
        .split(/ (?=(?:[^"]*"[^"]*")*[^"]*$)/)
        .map((word) => word.replaceAll('"', ""));
      await callOf(name, args, {});
    }
  });
});
