import { expect } from "chai";

import { recipientsFor } from "../../../../lib/secrets/recipients.ts";

const everyones = "age1kgk8mrt0pt63cnt6qjj2up7wlm5ec5ss2su6jaf96l52xzdt9dqsagwzxe";
const sample = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
const own = "age1v0lncznkg79xx5ejz5nlqknczgnrsfe9wzxclk2z38m9alr0pqdqsxvj7d";

const messageOf = (recipients: string[] | undefined, isLab = false): string => {
  const escrow = recipients && { recipients, copies: [] };
  try {
    recipientsFor({ stack: "dev", isLab }, { escrow });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("who may open an escrow", () => {
  it("is named by the configuration", () => {
    expect(messageOf([own])).to.equal("");
    expect(messageOf(undefined)).to.contain("list age recipients in hearth:escrow of Pulumi.dev.yaml");
  });

  it("is not everyone, but in the lab", () => {
    expect(messageOf([own, everyones])).to.contain("the lab's, whose identity everyone can derive");
    expect(messageOf([own, everyones], true)).to.equal("");
  });

  it("is nobody whose key was copied from documentation", () => {
    expect(messageOf([own, sample])).to.contain(`names ${sample}, a sample of age's documentation: name your own`);
  });
});
