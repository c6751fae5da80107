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

  for (const [what, from, to] of [
    ["secrets", "${{ github.event.pull_request.title }}", "${{ secrets.TOKEN }}"],
    ["all secrets at once", "${{ github.event.pull_request.title }}", "${{ toJSON(secrets) }}"],
    ["a secret of all jobs", "jobs:", "env: { TOKEN: '${{ secrets.TOKEN }}' }\njobs:"],
    ["an identity token", "timeout-minutes: 10", "timeout-minutes: 10\n    permissions: { id-token: write }"],
    ["an environment", "timeout-minutes: 10", "timeout-minutes: 10\n    environment: dev-main"],
  ] as const) {
    it(`are found: ${what} in a workflow that is the pull request's own`, () => {
      const forks = "\n    if: github.event.pull_request.head.repo.full_name == github.repository";
      const text = workflow(from, to).replace("timeout-minutes: 10", `timeout-minutes: 10${forks}`);
      for (const event of ["pull_request", "pull_request_review", "pull_request_review_comment"]) {
        expect(
          problems(text.replace(/\bpull_request\b/, event)).map((problem) => problem.replace(/^\d+: /, "")),
        ).to.deep.equal(["job test has secrets, and the pull request says what it does with them"]);
      }
    });
  }

  describe("on pull_request_target", () => {
    const same = "github.event.pull_request.head.repo.full_name == github.repository";
    const head = "${{ github.event.pull_request.head.sha }}";

    /** A job as preview.yml has them, in which a text is put in place of another. */
    const target = (from = "", to = "", environment = "dev-main", ref = ""): string => {
      const text = workflow("pull_request:", "pull_request_target:")
        .replace(
          "timeout-minutes: 10",
          `timeout-minutes: 10\n    environment: ${environment}\n    if: ${same} && always()`,
        )
        .replace("persist-credentials: false", `persist-credentials: false${ref}`)
        .replace("npm test", 'npx hearth preview dev --data-from "$COMMIT"');
      if (from !== "" && !text.includes(from)) throw new Error(`The workflow has no ${from}`);
      return text.replace(from, to);
    };
    const theirs = `\n          ref: ${head}`;

    it("are none where main's code takes data, or the pull request's commit runs after a review", () => {
      expect(problems(target())).to.deep.equal([]);
      expect(problems(target("npx hearth", "npm test && npx hearth", "dev-preview", theirs))).to.deep.equal([]);
    });

    const cases: [what: string, text: string, problem: string][] = [
      ["forks", target(` && always()`, " || always()"), "8: job test runs for forks, with this repository's secrets"],
      [
        "the pull request's code in an environment of main's",
        target("", "", "dev-main", theirs),
        "8: job test runs the pull request's code without a review",
      ],
      [
        "the pull request's code in no environment",
        target("    environment: dev-preview\n", "", "dev-preview", theirs),
        "8: job test runs the pull request's code without a review",
      ],
      [
        "a branch, which moves after the review",
        target("", "", "dev-preview", "\n          ref: ${{ github.head_ref }}"),
        "13: job test checks out what can move after the review",
      ],
      [
        "another repository",
        target("", "", "dev-main", "\n          repository: evil/hearth"),
        "13: job test checks out what can move after the review",
      ],
      [
        "secrets outside an environment of main's",
        target("${{ github.event.pull_request.title }}", "${{ secrets.TOKEN }}", "prod"),
        "8: job test has secrets without an environment for main's code",
      ],
      [
        "Git",
        target("npx hearth", "git checkout $COMMIT && npx hearth"),
        "16: job test could fetch or run the pull request's code",
      ],
      [
        "GitHub's own program",
        target("npx hearth preview", "gh pr checkout 7; npx hearth preview"),
        "16: job test could fetch or run the pull request's code",
      ],
      ["npm", target("npx hearth", "npm ci; npx hearth"), "16: job test could fetch or run the pull request's code"],
      [
        "another program of npx",
        target("npx hearth", "npx evil"),
        "16: job test could fetch or run the pull request's code",
      ],
    ];
    for (const [what, text, problem] of cases) {
      it(`are found: ${what}`, () => {
        expect(problems(text)).to.deep.equal([problem]);
      });
    }
  });

  describe("on a runner of one's own", () => {
    const own = (on: string, runner: string) =>
      workflow("pull_request:", on).replace("runs-on: ubuntu-24.04", `runs-on: ${runner}`);
    const runners = [
      "self-hosted",
      "[self-hosted, linux]",
      "${{ vars.RUNNER }}",
      "${{ vars.RUNNER || 'ubuntu-24.04' }}",
      "{ group: den }",
    ];

    for (const runner of runners) {
      it(`are found in what is not merged: ${runner}`, () => {
        for (const on of ["pull_request:", "push:", 'push: { branches: ["**"] }', "issues:"]) {
          expect(problems(own(on, runner))).to.include(
            "8: job test may run what is not on main on a runner of one's own",
          );
        }
        expect(problems(own("push: { branches: [main] }", runner))).to.deep.equal([]);
        expect(problems(own("schedule: [{ cron: 1 2 * * * }]", runner))).to.deep.equal([]);
      });
    }
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

  it("are test, charts, what takes long, the vendors' plugins, preview, trial, deploy, promote, drift and the digests of what is downloaded", () => {
    expect(globSync("*.yml", { cwd: join(root, ".github", "workflows") }).sort()).to.deep.equal([
      "charts.yml",
      "deploy.yml",
      "digests.yml",
      "drift.yml",
      "nightly.yml",
      "plugins.yml",
      "preview.yml",
      "promote.yml",
      "test.yml",
      "try.yml",
    ]);
  });

  it("cancel a preview that a newer one takes the place of, and never a deployment", () => {
    expect(read("preview").jobs.data?.concurrency?.["cancel-in-progress"]).to.equal(true);
    for (const job of Object.values(read("deploy").jobs))
      expect(job.concurrency?.["cancel-in-progress"]).to.equal(false);
  });

  it("deploy dev first, and prod in an environment of its own", () => {
    const { dev, prod } = read("deploy").jobs;
    expect(dev?.environment).to.equal("dev");
    expect(prod).to.include({ environment: "prod", needs: "dev" });
  });

  it("preview what is not merged in environments of their own, with nothing that a branch says", () => {
    const { on, jobs } = read("preview");
    expect(Object.keys(on)).to.deep.equal(["pull_request_target"]);
    expect(jobs.sort?.environment).to.equal(undefined);
    expect(jobs.sort?.permissions).to.deep.equal({ actions: "read", contents: "read" });
    expect(jobs.data?.environment).to.equal("${{ matrix.stack }}-main");
    expect(jobs.reviewed?.environment).to.equal("${{ matrix.stack }}-preview");
    expect(Object.values(read("drift").jobs).map(({ environment }) => environment)).to.deep.equal([
      "${{ matrix.stack }}-main",
    ]);
  });

  it("promote by main's code alone, by a schedule or by hand, and one at a time", () => {
    const { on, jobs } = read("promote");
    expect(Object.keys(on)).to.deep.equal(["schedule", "workflow_dispatch"]);
    expect(jobs.prod?.environment).to.equal("dev-main");
    expect(jobs.prod?.concurrency).to.deep.equal({ group: "promote-prod", "cancel-in-progress": false });
  });

  it("give the jobs of forks no secret", () => {
    for (const name of ["test", "try"]) {
      const text = readFileSync(join(root, ".github", "workflows", `${name}.yml`), "utf8");
      expect(text, name).not.to.match(/secrets\.|id-token|write|environment:|vars\./);
    }
  });

  it("try every pull request, those of forks too, from its base with the base's history", () => {
    const { on, jobs } = read("try");
    expect(Object.keys(on)).to.deep.equal(["pull_request"]);
    expect(jobs.try?.if).to.equal(undefined);
    const [checkout] = (jobs.try as { steps?: { with?: Record<string, unknown> }[] }).steps ?? [];
    expect(checkout?.with).to.deep.equal({ "fetch-depth": 0, "persist-credentials": false });
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
    const called = lines.flatMap((line) => /^(?!\s*#).*npx hearth (.+?)(?: \|\| .*)?$/.exec(line)?.[1] ?? []);
    expect([...new Set(called.map((line) => line.split(" ")[0]))]).to.have.members([
      "check",
      "deploy",
      "tools",
      "drift",
      "preview",
      "promote",
      "github",
      "try",
    ]);
    for (const line of called) {
      const [name = "", ...args] = line
        .replaceAll("$STACK", "dev")
        .split(/ (?=(?:[^"]*"[^"]*")*[^"]*$)/)
        .map((word) => word.replaceAll('"', ""));
      await callOf(name, args, {});
    }
  });
});
