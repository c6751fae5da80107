import { expect } from "chai";

import { reasonIn } from "../../../../operations/rotate/repository-access.ts";

describe("why a repository refuses a key", () => {
  const git = "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\n";

  it("is what ssh says last, and else what Git says", () => {
    expect(reasonIn(`git@github.com: Permission denied (publickey).\n${git}`)).to.contain("Permission denied");
    expect(reasonIn(`@@@@@@@\n@ WARNING @\n@@@@@@@\nHost key verification failed.\n${git}`)).to.equal(
      "Host key verification failed.",
    );
    expect(reasonIn("fatal: unable to find remote helper\n")).to.contain("remote helper");
    expect(reasonIn("")).to.equal("it said nothing");
  });
});
