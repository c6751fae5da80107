import { expect } from "chai";

import { ageRecipient } from "../../../components/secrets/age.ts";
import { isPlaceholder, strangerOf, strangersIn } from "../../../components/secrets/known-recipients.ts";
import { escrowSchema } from "../../../infra/config/escrow.ts";
import { labAgeIdentity } from "../../../lib/secrets/lab-identity.ts";

describe("recipients that strangers open for", () => {
  it("are the lab's, and samples of documentation, however they are written", async () => {
    const lab = await ageRecipient(labAgeIdentity);
    expect(strangerOf(lab)).to.contain("the lab's");
    expect(strangerOf(` ${lab.toUpperCase()}`)).to.contain("the lab's");
    expect(strangerOf("age1v0lncznkg79xx5ejz5nlqknczgnrsfe9wzxclk2z38m9alr0pqdqsxvj7d")).to.equal(undefined);
    expect(strangersIn(`- age: >-\n    ${lab},\n`)).to.have.lengthOf(1);
  });

  it("are recipients indeed, for a slip in the list would let one pass", () => {
    for (const { recipient } of strangersIn(JSON.stringify(samples))) {
      expect(escrowSchema.shape.recipients.element.safeParse(recipient).success, recipient).to.equal(true);
    }
    expect(strangersIn(JSON.stringify(samples))).to.have.lengthOf(samples.length);
  });

  it("are no placeholders, which nobody opens for", () => {
    expect(["<your age recipient>", "age1…", ""].map(isPlaceholder)).to.deep.equal([true, false, false]);
  });
});

const samples = [
  "age1kgk8mrt0pt63cnt6qjj2up7wlm5ec5ss2su6jaf96l52xzdt9dqsagwzxe",
  "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
  "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg",
  "age1yt3tfqlfrwdwx0z0ynwplcr6qxcxfaqycuprpmy89nr83ltx74tqdpszlw",
  "age1s3cqcks5genc6ru8chl0hkkd04zmxvczsvdxq99ekffe4gmvjpzsedk23c",
  "age1helqcqsh9464r8chnwc2fzj8uv7vr5ntnsft0tn45v2xtz0hpfwq98cmsg",
];
