import { expect } from "chai";
import { stringify } from "yaml";

import { escrowStatus, type Expected } from "../../../components/secrets/escrow-status.ts";

const recipients = ["age1one", "age1two"];
const expected: Expected = { stack: "dev", fingerprint: "sha256:1", recipients: { age: recipients, kms: [] } };

const file = (changes: Record<string, unknown> = {}, keys: string[] = recipients): string =>
  stringify({
    version: 1,
    stack: "dev",
    cluster: "den-dev",
    createdAt: "2026-11-21T12:00:00.000Z",
    fingerprint: "sha256:1",
    secrets: { contract: "ENC[…]" },
    // In the order in which SOPS writes them.
    sops: { age: keys.map((recipient) => ({ recipient, enc: "…" })), mac: "ENC[…]" },
    ...changes,
  });

describe("the status of an escrow", () => {
  const statusOf = (text: string | undefined) => escrowStatus(text, expected).is;

  it("is current where stack, fingerprint and recipients are the stack's, in whatever order", () => {
    expect(statusOf(file())).to.equal("current");
    expect(statusOf(file({}, recipients.toReversed()))).to.equal("current");
  });

  it("tells what is missing, of another stack, stale, or encrypted to others", () => {
    expect(statusOf(undefined)).to.equal("missing");
    expect(statusOf(file({ stack: "prod" }))).to.equal("foreign");
    expect(statusOf(file({ fingerprint: "sha256:2" }))).to.equal("stale");
    expect(statusOf(file({}, ["age1one"]))).to.equal("recipients");
    expect(statusOf(file({}, [...recipients, "age1three"]))).to.equal("recipients");
  });

  it("is newer where only a later release reads it, and that is not to write it anew", () => {
    expect(escrowStatus(file({ version: 4, head: "another" }), expected)).to.deep.equal({
      is: "newer",
      problem: "is of format 4, and this Hearth reads up to format 3",
      advice: "use the Hearth that wrote it, or a later one",
    });
  });

  it("is unreadable wherever the file is cut off", () => {
    const whole = file();
    // Without its last line break it is still whole.
    const last = whole.trimEnd().length - 1;
    for (let end = 0; end < last; end += 7) expect(statusOf(whole.slice(0, end)), `${end}`).to.equal("unreadable");
    expect(statusOf("")).to.equal("unreadable");
    expect(statusOf("secrets: [")).to.equal("unreadable");
  });
});
