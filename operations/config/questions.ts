import type { z } from "zod";

import { address, cidr, device, hex32, httpsUrl, mac, release } from "../../infra/config/values.ts";
import { gitopsSchema } from "../../infra/config/gitops.ts";
import { escrowSchema } from "../../infra/config/escrow.ts";
import { nth } from "../../infra/config/ipv4.ts";
import { alternatives } from "../../infra/config/nearest.ts";
import { platforms } from "../../infra/platforms/index.ts";
import type { Flags } from "../../lib/terminal/command.ts";
import { upperQuarter } from "./init-file.ts";

/** Answers by flag, as text; lists are separated by commas. */
export type Given = Record<string, string>;

/** A fact about a new stack. It is asked for only where it has no default. */
export interface Question {
  flag: string;
  text: string;
  example?: string;
  /** Says what is wrong with an answer; undefined where nothing is. */
  refuse: (answer: string) => string | undefined;
  /** Whether it matters, given the earlier answers. */
  matters?: (given: Given) => boolean;
  fallback?: (given: Given) => string | undefined;
}

/** What a schema refuses, in the words of its message. */
const by =
  (schema: z.ZodType) =>
  (answer: string): string | undefined => {
    const parsed = schema.safeParse(answer);
    if (parsed.success) return undefined;
    const [predicate = "", advice = ""] = parsed.error.issues[0]?.message.split("\n") ?? [];
    return `${answer === "" ? "an empty answer" : answer} ${predicate}: ${advice}`;
  };

const each = (schema: z.ZodType) => (answer: string) =>
  listOf(answer)
    .map(by(schema))
    .find((problem) => problem !== undefined);

const matching = (pattern: RegExp, what: string) => (answer: string) =>
  pattern.test(answer) ? undefined : `${answer === "" ? "an empty answer" : answer} is not ${what}`;

const anything = matching(/\S/, "a name");

/** The entries of a list as a flag has it. */
export const listOf = (answer: string): string[] =>
  answer
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");

const platformNames = alternatives(platforms.map(({ name }) => name));
const onProxmox = ({ platform }: Given): boolean => platform === "proxmox";
const withCloudflare = (given: Given): boolean => (given.domain ?? "") !== "";
const machines = (given: Given): number => Number(given["control-planes"]) + Number(given.workers);

/**
 * All facts, in the order in which they are asked.
 *
 * @param known what other stack files of the project say, such as the releases in use
 */
export const questions = (known: Given): Question[] => [
  {
    flag: "site",
    text: "Name of the place, the first part of every name",
    example: "den",
    refuse: matching(/^[a-z0-9]+$/, "a word of lower-case letters and digits"),
    fallback: () => known.site,
  },
  {
    flag: "platform",
    text: platformNames,
    refuse: (answer) =>
      platforms.some(({ name }) => name === answer) ? undefined : `${answer} is not ${platformNames}`,
    fallback: () => "proxmox",
  },
  {
    flag: "control-planes",
    text: "Number of control planes",
    refuse: matching(/^[135]$/, "1, 3 or 5"),
    fallback: () => "1",
  },
  { flag: "workers", text: "Number of workers", refuse: matching(/^\d{1,2}$/, "a number"), fallback: () => "0" },
  { flag: "subnet", text: "Subnet of the machines", example: "10.40.0.0/24", refuse: by(cidr) },
  { flag: "gateway", text: "Gateway", refuse: by(address), fallback: ({ subnet = "" }) => nth(subnet, 1) },
  {
    flag: "vip",
    text: "Address that the control planes share",
    refuse: by(address),
    fallback: ({ subnet = "" }) => nth(subnet, 10),
  },
  {
    flag: "nameservers",
    text: "Name servers",
    refuse: each(address),
    fallback: ({ gateway }) => gateway,
  },
  {
    flag: "load-balancers",
    text: "Range for Services of type LoadBalancer",
    refuse: by(cidr),
    fallback: ({ subnet = "" }) => upperQuarter(subnet),
  },
  {
    flag: "proxmox",
    text: "URL of the Proxmox API",
    example: "https://10.40.0.5:8006",
    refuse: by(httpsUrl("https://10.40.0.5:8006")),
    matters: onProxmox,
    fallback: () => known.proxmox,
  },
  {
    flag: "hosts",
    text: "Proxmox hosts, separated by commas",
    example: "pve1,pve2",
    refuse: anything,
    matters: onProxmox,
    fallback: () => known.hosts,
  },
  {
    flag: "image-datastore",
    text: "Datastore for boot images",
    refuse: anything,
    matters: onProxmox,
    fallback: () => known["image-datastore"] ?? "local",
  },
  {
    flag: "disk-datastore",
    text: "Datastore for disks",
    refuse: anything,
    matters: onProxmox,
    fallback: () => known["disk-datastore"] ?? "local-lvm",
  },
  {
    flag: "bridge",
    text: "Bridge of the Proxmox hosts",
    refuse: anything,
    matters: onProxmox,
    fallback: () => known.bridge ?? "vmbr0",
  },
  {
    flag: "macs",
    text: "Hardware addresses of the machines, control planes first, separated by commas",
    example: "7C:83:34:30:00:11",
    refuse: each(mac),
    fallback: (given) => (onProxmox(given) ? "" : undefined),
  },
  {
    flag: "install-disk",
    text: "Disk that Talos is installed to",
    refuse: by(device),
    fallback: (given) => (onProxmox(given) ? "/dev/sda" : "/dev/nvme0n1"),
  },
  {
    flag: "repository",
    text: "URL of the Git repository",
    example: "ssh://git@github.com/you/hearth.git",
    refuse: by(gitopsSchema.shape.repository),
    fallback: () => known.repository,
  },
  { flag: "branch", text: "Branch", refuse: anything, fallback: () => known.branch ?? "main" },
  {
    flag: "known-hosts",
    text: "Line of known_hosts for its server",
    example: "git.example.com ssh-ed25519 AAAA…",
    refuse: matching(/^\S+ (ssh|ecdsa)-\S+ \S+/, "a line of known_hosts"),
    matters: ({ repository = "" }) => repository.startsWith("ssh:"),
    fallback: ({ repository }) => (repository === known.repository ? known["known-hosts"] : undefined),
  },
  {
    flag: "domain",
    text: "Domain at Cloudflare; empty for none",
    example: "example.com",
    refuse: matching(/^$|^[a-z0-9.-]+\.[a-z]{2,}$/, "a domain"),
  },
  {
    flag: "cloudflare-account",
    text: "Identifier of the Cloudflare account",
    refuse: by(hex32),
    matters: withCloudflare,
    fallback: ({ domain }) => (domain === known.domain ? known["cloudflare-account"] : undefined),
  },
  {
    flag: "cloudflare-zone",
    text: "Identifier of the Cloudflare zone",
    refuse: by(hex32),
    matters: withCloudflare,
    fallback: ({ domain }) => (domain === known.domain ? known["cloudflare-zone"] : undefined),
  },
  {
    flag: "recipients",
    text: "Age recipients of the escrow file, separated by commas; empty for no escrow yet",
    example: "age1…",
    refuse: each(escrowSchema.shape.recipients.element),
    fallback: () => known.recipients,
  },
  ...(["talos", "kubernetes", "flux"] as const).map((flag) => ({
    flag,
    text: `Release of ${flag.charAt(0).toUpperCase()}${flag.slice(1)}`,
    example: "v1.2.3",
    refuse: by(release),
    fallback: () => known[flag],
  })),
];

/** Whether there are as many hardware addresses as bare-metal machines. */
export const macsMissing = (given: Given): string | undefined => {
  const [wanted, got] = [machines(given), listOf(given.macs ?? "").length];
  return given.platform === "metal" && wanted !== got
    ? `--macs has ${got} hardware addresses for ${wanted} machines`
    : undefined;
};

/** The flags that answer the questions. */
export const initFlags = (): Flags => ({
  ...Object.fromEntries(
    questions({}).map(({ flag, text, example }) => [
      flag,
      { type: "string" as const, what: `${text}${example === undefined ? "" : `, such as ${example}`}` },
    ]),
  ),
  force: { type: "boolean", what: "replace a stack file that is there" },
});
