import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import { Lab } from "../../lab/lab.ts";
import type { LabConfig } from "../../lab/lab-config.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import { commandsOf, guideText, isPrinted, sectionOf } from "./guide.ts";
import { LabCheckout, type Stack } from "./lab-checkout.ts";
import { eventually } from "./lab-process.ts";
import { Newcomer, type Answers } from "./newcomer.ts";

/** What a person does at a command of a guide that a script cannot read from it. */
export interface Hand {
  /** What they answer where it asks. */
  answers?: () => Answers;
  /** What they write in place of a `…`. */
  fill?: () => string;
  /** How the command ends. @default 0 */
  exitCode?: () => number;
  /** What stands for a command that reaches for what the lab does not have. */
  instead?: () => Promise<void>;
  /** What they do afterwards, with what it printed. */
  then?: (output: string) => unknown;
}

/**
 * A person who follows a guide in a lab whose cluster does not exist yet: its simulators run, with what a person has from outside. Nobody
 * has registered a profile at the Image Factory.
 */
export class GettingStarted {
  private constructor(
    readonly checkout: LabCheckout,
    readonly lab: Lab,
    readonly newcomer: Newcomer,
    readonly stack: Stack,
    private readonly octet: number,
    public config: LabConfig,
  ) {}

  /** @param adapt makes the lab's hardware and accounts those of the person */
  static async at(stack: Stack, octet: number, adapt: (config: LabConfig) => LabConfig): Promise<GettingStarted> {
    const checkout = await (stack === "prod" ? LabCheckout.createSmallProd(octet) : LabCheckout.createSmall(octet));
    const fork = join(checkout.path, ".lab/fork.git");
    await execa("git", ["clone", "--quiet", "--bare", checkout.path, fork]);
    await execa("git", ["branch", "--move", "main"], { cwd: fork });
    const folder = labFolder(checkout.path, stack);
    const lab = await Lab.open(folder);
    const { lab: derived, programs } = await lab.setUp();
    const config = adapt({ ...derived, repository: fork });
    await writeFile(folder.config, JSON.stringify(config));
    await lab.supervisor.start(programs["hearth-lab"] ?? "");
    const newcomer = await Newcomer.at(fork, folder, config);
    return new GettingStarted(checkout, lab, newcomer, stack, octet, config);
  }

  async remove(): Promise<void> {
    await this.checkout.remove();
    await this.newcomer.remove();
  }

  /** Changes what a person changes at Proxmox itself, which starts again with it. */
  async changeProxmox(more: Partial<LabConfig["proxmox"]>): Promise<void> {
    this.config = { ...this.config, proxmox: { ...this.config.proxmox, ...more } };
    const { config, path } = this.lab.folder;
    await writeFile(config, JSON.stringify(this.config));
    const token = await readFile(join(path, "supervisor.token"), "utf8");
    const restart = `http://${this.config.supervisor.address}/restart/proxmox`;
    const { status } = await fetch(restart, { method: "POST", headers: { Authorization: `Bearer ${token.trim()}` } });
    expect(status).to.equal(202);
    await eventually("Proxmox starts again", async () => (await this.lab.supervisor.status())?.ready === true, 60);
  }

  /** Types the commands of a section, and compares what they print with what the guide says. */
  async follow(guide: string, heading: string, hands: Record<string, Hand> = {}): Promise<void> {
    const used = new Set<string>();
    const text = this.here(sectionOf(guideText(guide), heading));
    for (const { command, printed } of commandsOf(text)) {
      const [beginning, hand = {}] =
        Object.entries(hands).find(([start]) => command.startsWith(this.here(start))) ?? [];
      if (beginning !== undefined) used.add(beginning);
      if (hand.instead) {
        await hand.instead();
        continue;
      }
      const typed = hand.fill ? command.replace("…", hand.fill()) : command;
      const { exitCode, output } = await this.newcomer.type(typed, hand.answers?.());
      expect(exitCode, `${typed}\n${output}`).to.equal(hand.exitCode?.() ?? 0);
      const said = `${typed} prints\n${output}\nand the guide says\n${printed.join("\n")}`;
      expect(isPrinted(printed, output), said).to.equal(true);
      await hand.then?.(output);
    }
    expect([...used]).to.have.members(Object.keys(hands));
  }

  /** Types a command of no guide, and returns what it prints. */
  async types(command: string): Promise<string> {
    const { exitCode, output } = await this.newcomer.type(command);
    expect(exitCode, `${command}\n${output}`).to.equal(0);
    return output;
  }

  /** Steps of the guide from three computers, which that from a Proxmox host shares. */
  readonly steps = {
    copy: () => this.metal("1. Your copy", { "git clone": { then: () => this.newcomer.installPackages() } }),
    state: () =>
      this.metal("3. The state", {
        // The vendors' plugins are on the Internet.
        "pulumi install": { instead: () => this.newcomer.installPlugins() },
        "pulumi config set --secret hearth:cloudflareToken": {
          answers: () => [["value", this.config.cloudflare.token]],
        },
      }),
    secrets: () =>
      this.metal("4. The tree's secrets", { "npx hearth secret init": { answers: () => [["(empty: later)", ""]] } }),
    /** @param isDeployed whether the guide's own command did it already */
    deploy: ({ isDeployed } = { isDeployed: false }) =>
      this.metal("7. Deploy", {
        ...(isDeployed && { "npx hearth deploy": { instead: () => Promise.resolve() } }),
        "pulumi stack output deployKey": {
          then: (output) => appendFile(this.lab.folder.authorizedKeys, `${output.trim()}\n`),
        },
      }),
    escrow: () => this.metal("8. Before you sleep"),
  };

  /** What a person answers about their stack, besides its machines. */
  async facts(): Promise<Answers> {
    const { git, cloudflare } = this.config;
    const zone = Object.keys(cloudflare.zones)[0] ?? "";
    const files = ["hearth-identity.txt", "hearth-identity-2.txt"].map((name) => join(this.newcomer.home, name));
    const identities = await Promise.all(files.map((file) => readFile(file, "utf8")));
    return [
      ["Name of the place", "den"],
      ["Subnet of the machines", this.here("192.168.1.0/24")],
      ["URL of the Git repository", `ssh://git@${git.address}/hearth.git`],
      ["Line of known_hosts", (await readFile(this.lab.folder.knownHosts, "utf8")).trim()],
      ["Domain at Cloudflare", zone],
      ["Identifier of the Cloudflare account", cloudflare.account],
      ["Identifier of the Cloudflare zone", cloudflare.zones[zone] ?? ""],
      ["Age recipients of the escrow", identities.map((text) => /age1\w+/.exec(text)?.[0] ?? "").join(",")],
    ];
  }

  /** Waits until the cluster has these nodes, and has applied the whole tree with the app. */
  async isThere(nodes: readonly string[]): Promise<void> {
    await this.until("the nodes are ready", "kubectl get nodes", (output) =>
      nodes.every((name) => new RegExp(`^${name} +Ready `, "m").test(output)),
    );
    await this.until("the tree is applied", "kubectl get kustomizations --all-namespaces", (output) => {
      const rows = output.trim().split("\n").slice(1);
      return rows.some((row) => row.includes(" welcome ")) && rows.every((row) => row.includes(" True "));
    });
    const { recordNames = [] } = (await this.lab.simulators(this.config).cloudflare()) ?? {};
    expect(recordNames).to.include(`CNAME welcome-${this.stack}.example.com`);
  }

  private metal(heading: string, hands?: Record<string, Hand>): Promise<void> {
    return this.follow("getting-started-metal", heading, hands);
  }

  /** A text of a guide with the lab's addresses, and the stack's name. */
  private here(text: string): string {
    return text.replaceAll("192.168.1.", `127.${this.octet.toString()}.0.`).replaceAll(/\bprod\b/g, this.stack);
  }

  private until(what: string, command: string, isSo: (output: string) => boolean): Promise<unknown> {
    return eventually(what, async () => isSo((await this.newcomer.type(command)).output), 600);
  }
}
