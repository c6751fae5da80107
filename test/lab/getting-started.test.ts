import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import { Lab } from "../../lab/lab.ts";
import type { LabConfig } from "../../lab/lab-config.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import { commandsOf, guideText, isPrinted, sectionOf } from "../support/guide.ts";
import { LabCheckout } from "../support/lab-checkout.ts";
import { eventually } from "../support/lab-process.ts";
import { Newcomer, type Answers } from "../support/newcomer.ts";

const octet = 71;
const guide = guideText("getting-started-metal");

/** What a person does at a command of the guide that a script cannot read from it. */
interface Hand {
  /** What they answer where it asks. */
  answers?: () => Answers | Promise<Answers>;
  /** What stands for a command that reaches for what the lab does not have. */
  instead?: () => Promise<void>;
  /** What they do afterwards, with what it printed. */
  then?: (output: string) => Promise<void>;
}

/** Three small computers that booted Talos's ISO, one of them at an address that nobody reserved. */
describe("the guide from three computers to a platform, followed from a fresh clone", () => {
  let checkout: LabCheckout;
  let lab: Lab;
  let config: LabConfig;
  let newcomer: Newcomer;

  before(async () => {
    checkout = await LabCheckout.createSmallProd(octet);
    const fork = join(checkout.path, ".lab/fork.git");
    await execa("git", ["clone", "--quiet", "--bare", checkout.path, fork]);
    await execa("git", ["branch", "--move", "main"], { cwd: fork });
    const folder = labFolder(checkout.path, "prod");
    lab = await Lab.open(folder);
    const { lab: derived, programs } = await lab.setUp();
    const metal = derived.metal.map((machine, index) => ({
      ...{ ...machine, secureBoot: false },
      // As a DHCP server without a reservation for it.
      ...(index === 0 && { lease: `127.${octet.toString()}.0.157` }),
    }));
    config = { ...derived, repository: fork, metal };
    await writeFile(folder.config, JSON.stringify(config));
    await lab.supervisor.start(programs["hearth-lab"] ?? "");
    newcomer = await Newcomer.at(fork, folder, config);
  });

  after(async () => {
    await checkout.remove();
    await newcomer.remove();
  });

  /** Types the commands of a section, and compares what they print with what the guide says. */
  const follow = async (heading: string, hands: Record<string, Hand> = {}): Promise<void> => {
    const used = new Set<string>();
    for (const { command, printed } of commandsOf(sectionOf(guide, heading))) {
      const typed = command.replaceAll("192.168.1.", `127.${octet.toString()}.0.`);
      const [beginning, hand = {}] = Object.entries(hands).find(([start]) => command.startsWith(start)) ?? [];
      if (beginning !== undefined) used.add(beginning);
      if (hand.instead) {
        await hand.instead();
        continue;
      }
      const { exitCode, output } = await newcomer.type(typed, await hand.answers?.());
      expect(exitCode, `${typed}\n${output}`).to.equal(0);
      const lines = printed.map((line) => line.replaceAll("192.168.1.", `127.${octet.toString()}.0.`));
      expect(isPrinted(lines, output), `${typed} prints\n${output}\nand the guide says\n${lines.join("\n")}`).to.equal(
        true,
      );
      await hand.then?.(output);
    }
    expect([...used]).to.have.members(Object.keys(hands));
  };

  /** Waits until a command prints something. */
  const until = (what: string, command: string, isSo: (output: string) => boolean): Promise<unknown> =>
    eventually(what, async () => isSo((await newcomer.type(command)).output), 600);

  it("1. makes a copy, and keys", () =>
    follow("1. Your copy", { "git clone": { then: () => newcomer.installPackages() } }));

  it("2. writes the stack file", async () => {
    const recipients = await Promise.all(
      ["", "-2"].map(async (end) => {
        const text = await readFile(join(newcomer.home, `hearth-identity${end}.txt`), "utf8");
        return /age1\w+/.exec(text)?.[0] ?? "";
      }),
    );
    await follow("2. The stack file", {
      "npx hearth init prod": {
        answers: async () => [
          ["Name of the place", "den"],
          ["Subnet of the machines", `127.${octet.toString()}.0.0/24`],
          ["Hardware addresses of the machines", config.metal.map(({ mac }) => mac).join(",")],
          ["URL of the Git repository", `ssh://git@${config.git.address}/hearth.git`],
          ["Line of known_hosts", (await readFile(lab.folder.knownHosts, "utf8")).trim()],
          ["Domain at Cloudflare", Object.keys(config.cloudflare.zones)[0] ?? ""],
          ["Identifier of the Cloudflare account", config.cloudflare.account],
          ["Identifier of the Cloudflare zone", Object.values(config.cloudflare.zones)[0] ?? ""],
          ["Age recipients of the escrow", recipients.join(",")],
        ],
      },
    });
  });

  it("3. makes a state", () =>
    follow("3. The state", {
      // The vendors' plugins are on the Internet.
      "pulumi install": { instead: () => newcomer.installPlugins() },
      "pulumi config set --secret hearth:cloudflareToken": { answers: () => [["value:", config.cloudflare.token]] },
    }));

  it("4. makes the tree's secrets its own", () =>
    follow("4. The tree's secrets", {
      "npx hearth secret init": { answers: () => [["(empty: later)", ""]] },
    }));

  it("5. boots the machines, moves the one that has another address, and discovers them", () =>
    follow("5. Boot the machines", {
      "npx hearth discover": {
        then: (output) => {
          for (const { mac, disks } of config.metal) {
            expect(output).to.contain(mac);
            expect(output).to.contain(disks[0]?.serial);
          }
          return Promise.resolve();
        },
      },
    }));

  it("6. finds no problem", () => follow("6. Look before you leap"));

  it("7. deploys, and has an app behind the tunnel", async () => {
    const names = config.metal.map(({ name }) => name);
    await follow("7. Deploy", {
      "pulumi stack output deployKey": {
        then: (output) => appendFile(lab.folder.authorizedKeys, `${output.trim()}\n`),
      },
      "kubectl get nodes": {
        then: () =>
          until("the nodes are ready", "kubectl get nodes", (output) =>
            names.every((name) => new RegExp(`^${name} +Ready `, "m").test(output)),
          ).then(() => undefined),
      },
      "kubectl get kustomizations": {
        then: () =>
          until("the tree is applied", "kubectl get kustomizations --all-namespaces", (output) => {
            const rows = output.trim().split("\n").slice(1);
            return rows.some((row) => / welcome /.test(row)) && rows.every((row) => / True /.test(row));
          }).then(() => undefined),
      },
    });
    const { recordNames = [] } = (await lab.simulators(config).cloudflare()) ?? {};
    expect(recordNames).to.include("CNAME welcome-prod.example.com");
  });

  it("8. keeps the escrow", () => follow("8. Before you sleep"));
});
