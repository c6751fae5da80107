import { fullName } from "../../components/cloudflare/names.ts";
import { storedContent } from "../../components/cloudflare/content.ts";
import { resourceTypes } from "../../components/resource-types.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { wantedOfEdge } from "../rebuild/edge.ts";
import type { Subject } from "./doctor.ts";
import { fine, known, listed, notAsked, problem, valueOf, warning, type Finding, type Known } from "./finding.ts";
import type { Internet } from "./internet.ts";
import { idsIn, secretOf, type Surroundings } from "./surroundings.ts";

type Edge = NonNullable<HearthConfig["cloudflare"]>;

/** An answer of Cloudflare's API: the status, and the result if it is JSON. */
export interface CloudflareAnswer {
  status: number;
  result?: unknown;
}

/** A record at Cloudflare. */
export interface FoundRecord {
  id: string;
  type: string;
  name: string;
  content: string;
}

/** What is known of Cloudflare. */
export interface CloudflareFacts {
  /** Whether there is a token. */
  token: Known<boolean>;
  /** Undefined if nothing was asked. */
  answers:
    | {
        /** Verifying the token, as a user's and as an account's. */
        token: Known<CloudflareAnswer>[];
        zone: Known<CloudflareAnswer>;
        tunnels: Known<CloudflareAnswer>;
        /** Reading the connector's token of one of the stack's tunnels, which needs the right to edit it; undefined if there is none. */
        tunnelToken: Known<CloudflareAnswer> | undefined;
        /** Changing a record that does not exist, which needs the right to edit records and changes nothing. */
        noRecord: Known<CloudflareAnswer>;
        /** The records at each name that the stack wants. */
        records: Record<string, Known<CloudflareAnswer>>;
      }
    | undefined;
  /** IDs of the tunnels and records that the state has; undefined if the state cannot be read. */
  own: { tunnels: string[]; records: string[] } | undefined;
}

type Answers = NonNullable<CloudflareFacts["answers"]>;

const tokenAdvice =
  "make a token with Cloudflare Tunnel: Edit for the account and DNS: Edit for the zone, and pulumi config set --secret hearth:cloudflareToken";

export const cloudflareFindings = (config: HearthConfig, { token, answers, own }: CloudflareFacts): Finding[] => {
  const { cloudflare: edge } = config;
  if (!edge) return [];
  if ("why" in token) return [notAsked("Cloudflare", `the token cannot be read: ${token.why}`)];
  if (!token.value) {
    return [
      problem("Cloudflare token", "the stack file has no hearth:cloudflareToken", tokenAdvice),
      notAsked("Cloudflare", "there is no token to ask with"),
    ];
  }
  if (!answers) return [];
  const silent = Object.values([...answers.token, answers.zone, answers.tunnels, answers.noRecord]);
  const [first] = silent;
  if (first && "why" in first && silent.every((each) => "why" in each)) {
    return [
      problem(
        "Cloudflare",
        `does not answer: ${first.why}`,
        "look at the network and at cloudflarestatus.com, and run this again",
      ),
    ];
  }
  const accepted = tokenFinding(answers);
  if (accepted.is === "problem") return [accepted];
  return [
    accepted,
    rightFinding("Cloudflare Tunnel: Read", `account ${edge.account}`, answers.tunnels, [200]),
    answers.tunnelToken
      ? rightFinding("Cloudflare Tunnel: Edit", `account ${edge.account}`, answers.tunnelToken, [200])
      : notAsked(
          "Cloudflare right Cloudflare Tunnel: Edit",
          "only a tunnel of the stack shows it, and there is none yet",
        ),
    // Of a record that does not exist Cloudflare says so, with 400 or 404.
    rightFinding("DNS: Edit", `zone ${edge.zone.name}`, answers.noRecord, [400, 404]),
    ...zoneFindings(edge, answers.zone),
    ...tunnelFindings(config, answers.tunnels, own),
    ...recordFindings(config, edge, answers.records, own),
  ];
};

const tokenFinding = ({ token, zone, tunnels }: Answers): Finding => {
  const check = "Cloudflare token";
  const statuses = token.flatMap((each) => valueOf(each) ?? []);
  const active = statuses.find(({ status }) => status === 200);
  if (active) {
    const { status } = (active.result ?? {}) as { status?: string };
    return status === undefined || status === "active"
      ? fine(check, "is active")
      : problem(check, `is ${status}`, tokenAdvice);
  }
  if ([zone, tunnels].some((each) => valueOf(each)?.status === 200)) return fine(check, "is accepted");
  if (statuses.some(({ status }) => isBusy(status))) return notAsked(check, "Cloudflare is too busy to say");
  return problem(check, "is refused: it is not whole, expired or revoked", tokenAdvice);
};

const isBusy = (status: number): boolean => status === 429 || status >= 500;

const rightFinding = (
  right: string,
  where: string,
  answer: Known<CloudflareAnswer>,
  allowed: readonly number[],
): Finding => {
  const check = `Cloudflare right ${right}`;
  if ("why" in answer) return notAsked(check, answer.why);
  const { status } = answer.value;
  if (allowed.includes(status)) return fine(check, `holds for ${where}`);
  if (isBusy(status)) return notAsked(check, `Cloudflare answers ${status.toString()}`);
  return problem(
    check,
    `the token lacks it for ${where}, or there is no such ${where.split(" ")[0] ?? ""} (${status.toString()})`,
    "add it to the token at Cloudflare, API Tokens; compare the identifier with the one on the dashboard's overview page",
  );
};

const zoneFindings = ({ zone, account }: Edge, answer: Known<CloudflareAnswer>): Finding[] => {
  const check = `Cloudflare zone ${zone.name}`;
  if ("why" in answer) return [notAsked(check, answer.why)];
  const { status, result } = answer.value;
  // The stack itself does not need Zone: Read.
  if (status !== 200) return [notAsked(check, `only a token with Zone: Read is told (${status.toString()})`)];
  const found = (result ?? {}) as { name?: string; status?: string; account?: { id?: string } };
  if (found.name !== zone.name) {
    return [
      problem(
        check,
        `${zone.id} is the zone ${String(found.name)}`,
        "correct hearth:cloudflare.zone: the dashboard's overview page of the zone has its identifier",
      ),
    ];
  }
  if (found.account?.id !== undefined && found.account.id !== account) {
    return [
      problem(
        check,
        `is in the account ${found.account.id}, and the tunnels would be in ${account}`,
        "correct hearth:cloudflare.account: records lead only to tunnels of their own account",
      ),
    ];
  }
  if (found.status !== undefined && found.status !== "active") {
    return [
      warning(
        check,
        `is ${found.status}: the Internet does not ask Cloudflare for it yet`,
        "name Cloudflare's name servers at the domain's registrar",
      ),
    ];
  }
  return [fine(check, "is active")];
};

const tunnelFindings = (
  { cluster, cloudflare: edge }: HearthConfig,
  answer: Known<CloudflareAnswer>,
  own: CloudflareFacts["own"],
): Finding[] => {
  if ("why" in answer || answer.value.status !== 200) return [];
  const found = (answer.value.result ?? []) as { id: string; name: string }[];
  return [cluster.name, ...Object.keys(edge?.tunnels ?? {})].map((name): Finding => {
    const check = `Cloudflare tunnel ${name}`;
    const [stranger, mine] = [false, true].map((isOwn) =>
      found.find((each) => each.name === name && (own?.tunnels.includes(each.id) ?? false) === isOwn),
    );
    if (mine) return fine(check, "is this stack's");
    if (!stranger) return fine(check, "is free");
    if (own === undefined) return notAsked(check, "there is one; whether it is this stack's, only the state says");
    return problem(
      check,
      `another tunnel has this name, ${stranger.id}, and Cloudflare takes a name once`,
      "if the state was lost, npx hearth rebuild takes it over; if it is left over, delete it at Cloudflare",
    );
  });
};

/** A record that the stack wants. A tunnel's has no content that is known here. */
interface Wanted {
  type: string;
  name: string;
  content?: string | undefined;
  /** Identifier of an equal record that the stack file takes over. */
  adopt?: string | undefined;
}

/** The records that a stack wants, with those that it takes over. */
export const wantedRecords = (cluster: string, edge: Edge): Wanted[] => {
  const adopted = [
    ...[...edge.ingress, ...Object.values(edge.tunnels).flatMap(({ ingress }) => ingress)].map((rule) => ({
      type: "CNAME",
      ...{ name: fullName(rule.hostname, edge.zone.name), adopt: rule.adopt },
    })),
    ...edge.records.map(({ type, name, adopt }) => ({ type, name: fullName(name, edge.zone.name), adopt })),
  ];
  return wantedOfEdge(cluster, edge).records.map((record) => ({
    ...record,
    adopt: adopted.find(({ type, name, adopt }) => adopt !== undefined && type === record.type && name === record.name)
      ?.adopt,
  }));
};

const addresses = ["A", "AAAA"];

/**
 * Whether Cloudflare would refuse a record beside one that is there: a CNAME record stands alone among those that lead somewhere, and
 * no record is there twice. Source: Cloudflare's API, errors 81053, 81054 and 81058.
 */
export const isInTheWay = (wanted: Wanted, found: FoundRecord): boolean => {
  const bare = (content: string): string => content.toLowerCase().replace(/\.$/, "");
  if (wanted.type === "CNAME") return found.type === "CNAME" || addresses.includes(found.type);
  if (found.type === "CNAME") return addresses.includes(wanted.type);
  if (found.type !== wanted.type || wanted.content === undefined) return false;
  return bare(found.content) === bare(storedContent(wanted.type, wanted.content));
};

const recordFindings = (
  { cluster }: HearthConfig,
  edge: Edge,
  answers: Answers["records"],
  own: CloudflareFacts["own"],
): Finding[] => {
  const all = wantedRecords(cluster.name, edge);
  return [...new Set(all.map(({ name }) => name))].map((name): Finding => {
    const wanted = all.filter((record) => record.name === name);
    const check = `Cloudflare records of ${name}`;
    const answer = answers[name];
    if (answer === undefined || "why" in answer) return notAsked(check, answer?.why ?? "they were not asked for");
    if (answer.value.status !== 200) return notAsked(check, `Cloudflare answers ${answer.value.status.toString()}`);
    const found = (answer.value.result ?? []) as FoundRecord[];
    const taken = wanted.map(({ adopt }) => adopt);
    const strangers = found.filter(
      (each) =>
        own?.records.includes(each.id) !== true &&
        !taken.includes(each.id) &&
        wanted.some((record) => isInTheWay(record, each)),
    );
    if (strangers.length === 0)
      return fine(check, found.length === 0 ? "there are none in the way" : "are this stack's, or not in the way");
    if (own === undefined) return notAsked(check, "there are some; whether they are this stack's, only the state says");
    return problem(
      check,
      `${listed(strangers.map(({ type, content }) => `${type} ${content}`))} is there and not this stack's`,
      adviceAbout(strangers, wanted),
    );
  });
};

/** Only an equal record can be taken over. */
const adviceAbout = (strangers: readonly FoundRecord[], wanted: readonly Wanted[]): string => {
  const equal = strangers.find((each) =>
    wanted.some(({ type, content }) => content !== undefined && type === each.type),
  );
  return [
    "remove it at Cloudflare, or take the name out of the stack file",
    ...(equal ? [`to take over an equal one, give the record adopt: ${equal.id}`] : []),
    "if the state was lost, npx hearth rebuild takes over what is this stack's",
  ].join("\n");
};

const api = "https://api.cloudflare.com/client/v4";

const read = async (
  { cluster, cloudflare: edge }: HearthConfig & { cloudflare: Edge },
  { internet, token }: { internet: Internet; token: string },
): Promise<Answers> => {
  const ask = (path: string, method: "GET" | "PATCH" = "GET"): Promise<Known<CloudflareAnswer>> =>
    known(async () => {
      const { status, text } = await internet.ask(`${api}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(method === "PATCH" && { body: "{}" }),
      });
      return { status, result: resultIn(text) };
    });
  const { account, zone } = edge;
  const names = [...new Set(wantedRecords(cluster.name, edge).map(({ name }) => name))];
  const noRecord = "0".repeat(32);
  const [byUser, byAccount, found, tunnels, edit, records] = await Promise.all([
    ask("/user/tokens/verify"),
    ask(`/accounts/${account}/tokens/verify`),
    ask(`/zones/${zone.id}`),
    ask(`/accounts/${account}/cfd_tunnel?is_deleted=false&per_page=1000`),
    ask(`/zones/${zone.id}/dns_records/${noRecord}`, "PATCH"),
    Promise.all(
      names.map(
        async (name) =>
          [name, await ask(`/zones/${zone.id}/dns_records?name.exact=${encodeURIComponent(name)}`)] as const,
      ),
    ),
  ]);
  const list = (valueOf(tunnels)?.result ?? []) as { id: string; name: string }[];
  const mine = list.find(({ name }) => name === cluster.name);
  return {
    token: [byUser, byAccount],
    zone: found,
    tunnels,
    tunnelToken: mine && (await ask(`/accounts/${account}/cfd_tunnel/${mine.id}/token`)),
    noRecord: edit,
    records: Object.fromEntries(records),
  };
};

const resultIn = (text: string): unknown => {
  try {
    return (JSON.parse(text) as { result?: unknown }).result;
  } catch {
    return undefined;
  }
};

const ownOf = ({ state }: Surroundings): CloudflareFacts["own"] =>
  "why" in state
    ? undefined
    : { tunnels: idsIn(state, resourceTypes.tunnel), records: idsIn(state, resourceTypes.dnsRecord) };

/** Cloudflare's tunnels and records. */
export const cloudflare: Subject = {
  name: "Cloudflare",
  examine: async (surroundings) => {
    const { config, secrets, internet } = surroundings;
    const { cloudflare: edge } = config;
    if (!edge) return [];
    const token = secretOf(secrets, "cloudflareToken");
    const secret = valueOf(token);
    return cloudflareFindings(config, {
      token: "why" in token ? token : { value: secret !== undefined },
      answers:
        secret === undefined ? undefined : await read({ ...config, cloudflare: edge }, { internet, token: secret }),
      own: ownOf(surroundings),
    });
  },
};
