import { expect } from "chai";

import { openersFor } from "../../../../lib/secrets/openers.ts";

const everyones = "age1kgk8mrt0pt63cnt6qjj2up7wlm5ec5ss2su6jaf96l52xzdt9dqsagwzxe";
const own = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

const messageOf = async (recipients: string[] | undefined, isLab = false): Promise<string> => {
  const escrow = recipients && { recipients, copies: [] };
  return openersFor({ stack: "dev", isLab }, { escrow }).then(
    () => "",
    (error: unknown) => (error as Error).message,
  );
};

describe("who may open an escrow", () => {
  it("is named by the configuration", async () => {
    expect(await messageOf([own])).to.equal("");
    expect(await messageOf(undefined)).to.contain("list age recipients in hearth:escrow of Pulumi.dev.yaml");
  });

  it("is not everyone, but in the lab", async () => {
    expect(await messageOf([own, everyones])).to.contain("the lab's, whose identity everyone can derive");
    expect(await messageOf([own, everyones], true)).to.equal("");
  });
});
