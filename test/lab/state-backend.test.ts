import { readFile } from "node:fs/promises";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import { startKms, type Kms } from "../support/kms.ts";
import { project, type Project } from "../support/plugins.ts";
import { startS3, type S3 } from "../support/s3.ts";

const arn = "arn:aws:kms:eu-central-1:123456789012:key/7d1e5c3a-2b4f-4e6d-8c9a-0f1e2d3c4b5a";
const bucket = "hearth-state";

const program = `
import { RandomPassword } from "@pulumi/random";
export const value = new RandomPassword("seed", { length: 32 }).result;
`;

// What docs/guides/state.md tells people to log in to, with the real engine.
describe("the state in an S3 bucket, with a KMS key as its secrets provider", () => {
  let kms: Kms;
  let s3: S3;
  let stack: Project;
  const stops: (() => Promise<void> | void)[] = [];

  const pulumi = async (...args: string[]): Promise<string> => {
    const { code, output, text } = await stack.pulumi(...args);
    expect(code, output).to.equal(0);
    return text.trim();
  };

  const stored = (): string => readFileSync(join(s3.data, bucket, ".pulumi/stacks/plugins/test.json"), "utf8");

  before(async () => {
    kms = await startKms(arn);
    stops.push(kms.stop);
    s3 = await startS3("127.126.78.9:7070", bucket);
    stops.push(s3.stop);
    const backend = `s3://${bucket}?endpoint=${s3.endpoint}&use_path_style=true&region=us-east-1`;
    stack = await project({ ...kms.env, PULUMI_BACKEND_URL: backend }, `awskms:///${arn}?region=eu-central-1`);
    stops.push(stack.remove);
    await stack.write(program);
    await pulumi("up", "--yes");
  });

  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  it("is there, with history, and no secret in it", async () => {
    const value = await pulumi("stack", "output", "value", "--show-secrets");
    expect(value).to.have.lengthOf(32);
    expect(stored()).to.contain("RandomPassword").and.not.to.contain(value);
    expect(globSync(".pulumi/history/plugins/test/*.checkpoint.json*", { cwd: join(s3.data, bucket) })).not.to.be.empty;
  });

  it("is opened by the key alone, of which the configuration holds a data key", async () => {
    const asked = kms.calls.filter((call) => call === "Decrypt").length;
    await pulumi("preview", "--expect-no-changes");
    expect(kms.calls.filter((call) => call === "Decrypt").length).to.be.greaterThan(asked);
    expect(await readFile(join(stack.folder, "Pulumi.test.yaml"), "utf8")).to.match(/^encryptedkey: /m);
  });

  it("says that another update runs, and how to remove what a killed one left", async () => {
    const lock = { pid: 1, username: "somebody", hostname: "elsewhere", timestamp: new Date().toISOString() };
    await s3.put(bucket, ".pulumi/locks/organization/plugins/test/0a1b.json", JSON.stringify(lock));
    const { code, output } = await stack.pulumi("up", "--yes");
    expect(code).not.to.equal(0);
    expect(output).to.contain("somebody@elsewhere").and.to.contain("pulumi cancel");
    await pulumi("cancel", "--yes");
    await pulumi("up", "--yes", "--expect-no-changes");
  });
});
