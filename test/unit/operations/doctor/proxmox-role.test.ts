import { expect } from "chai";

import { missingOf, needsOf, pathsOf } from "../../../../operations/doctor/proxmox-privileges.ts";
import { roleCommands, roleOf } from "../../../../operations/doctor/proxmox-role.ts";
import { configOf } from "../../../support/doctor.ts";

const dev = configOf("dev");

/** What a token with a role on `/` has, which every path inherits. */
const granted = (role: readonly string[]) =>
  Object.fromEntries(pathsOf(needsOf(dev)).map((path) => [path, role] as const));

describe("the role of a stack's token at Proxmox", () => {
  it("has all that the stack needs", () => {
    expect(missingOf(needsOf(dev), granted(roleOf(dev)))).to.deep.equal({});
  });

  it("has no privilege that could be left out, but the one for machines that move", () => {
    const idle = roleOf(dev).filter((privilege) => {
      const less = roleOf(dev).filter((each) => each !== privilege);
      return Object.keys(missingOf(needsOf(dev), granted(less))).length === 0;
    });
    expect(idle).to.deep.equal(["VM.Migrate"]);
  });

  it("is made by commands that can be pasted", () => {
    expect(roleCommands(dev)).to.deep.equal([
      `pveum role add Hearth --privs "${roleOf(dev).join(" ")}"`,
      "pveum user add hearth@pve",
      "pveum acl modify / --users hearth@pve --roles Hearth",
      "pveum user token add hearth@pve deploy --privsep 0",
    ]);
  });
});
