import { isAbout, knownHostName, knownHostsOf } from "../../components/gitops/known-hosts.ts";
import { address, cidr, device, hex32, mac, release } from "../../infra/config/values.ts";
import { gitopsSchema } from "../../infra/config/gitops.ts";
import { escrowSchema } from "../../infra/config/escrow.ts";
import { nth } from "../../infra/config/ipv4.ts";
import { alternatives } from "../../infra/config/nearest.ts";
import { platformOf, platforms as all } from "../../infra/platforms/index.ts";
import { anything, by, each, listOf, matching, type Given, type Question } from "../../infra/platforms/question.ts";
import type { Flags } from "../../lib/terminal/command.ts";
import { upperQuarter } from "./init-file.ts";

const withCloudflare = (given: Given): boolean => (given.domain ?? "") !== "";
const machines = (given: Given): number => Number(given["control-planes"]) + Number(given.workers);

/**
 * All questions, in the order in which they are asked.
 *
 * @param known values of the project's other stack files, such as the releases in use
 */
export const questions = (known: Given, platforms = all): Question[] => {
  const names = alternatives(platforms.map(({ name }) => name));
  const setupOf = ({ platform = "" }: Given) => platformOf({ platform }, platforms).setup;
  return [
    {
      flag: "site",
      text: "Name of the place, the first part of every name",
      example: "den",
      refuse: matching(/^[a-z0-9]+$/, "a word of lower-case letters and digits"),
      fallback: () => known.site,
    },
    {
      flag: "platform",
      text: names,
      refuse: (answer) => (platforms.some(({ name }) => name === answer) ? undefined : `${answer} is not ${names}`),
      fallback: () => platforms[0]?.name,
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
    ...platforms.flatMap(({ name, setup }) =>
      setup.questions(known).map((question) => ({ ...question, matters: ({ platform }: Given) => platform === name })),
    ),
    {
      flag: "macs",
      text: "Hardware addresses of the machines, control planes first, separated by commas",
      example: "7C:83:34:30:00:11",
      refuse: each(mac),
      fallback: (given) => (setupOf(given).mac ? "" : undefined),
    },
    {
      flag: "install-disk",
      text: "Disk that Talos is installed to",
      refuse: by(device),
      fallback: (given) => setupOf(given).installDisk,
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
      fallback: ({ repository = "" }) => linesAbout(repository, known["known-hosts"]),
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
    ...Object.entries({ talos: "Talos", kubernetes: "Kubernetes", flux: "Flux", "gateway-api": "Gateway API" }).map(
      ([flag, name]) => ({
        flag,
        text: `Release of ${name}`,
        example: "v1.2.3",
        refuse: by(release),
        fallback: () => known[flag],
      }),
    ),
  ];
};

/** The lines of known_hosts, if they are about a repository's server. */
const linesAbout = (repository: string, lines: string | undefined): string | undefined =>
  URL.canParse(repository) && knownHostsOf(lines ?? "").some((line) => isAbout(line, knownHostName(repository)))
    ? lines
    : undefined;

/** Checks that there is a hardware address for each machine that already has one. */
export const macsMissing = (given: Given, platforms = all): string | undefined => {
  const [wanted, got] = [machines(given), listOf(given.macs ?? "").length];
  const { mac } = platformOf({ platform: given.platform ?? "" }, platforms).setup;
  return mac === undefined && wanted !== got
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
