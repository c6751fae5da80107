import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** A deploy key as GitHub stores it. */
export interface DeployKey {
  id: number;
  key: string;
  title: string;
  read_only: boolean;
}

/** A webhook as GitHub stores it, its secret in clear. */
export interface Hook {
  id: number;
  name: string;
  active: boolean;
  events: string[];
  config: { url: string; content_type: string; insecure_ssl: string; secret?: string };
}

/** A simulated GitHub with one repository. */
export interface GitHub {
  /** host:port, which serves TLS for api.github.com. */
  address: string;
  /** Path of the CA certificate that signed the simulator's own. */
  authority: string;
  keys: Map<number, DeployKey>;
  hooks: Map<number, Hook>;
  /** Every request, for example `POST /repos/you/hearth/keys`. */
  seen: string[];
  /** The token's permissions in addition to reading. */
  permissions: Set<"administration" | "webhooks">;
  /** How many of the next requests get status 502. */
  outages: number;
  stop: () => Promise<void>;
}

/** The only account and repository of the simulated GitHub. */
export const gitHubAccount = { owner: "you", repository: "hearth", token: "github_pat_hearthLabTestToken0123456789" };

interface Answer {
  status: number;
  body?: unknown;
}

/** Source: GitHub REST API, version 2022-11-28: "Deploy keys", "Repository webhooks", "Troubleshooting". */
const refusal = (status: number, message: string): Answer => ({
  status,
  body: { message, documentation_url: "https://docs.github.com/rest", status: status.toString() },
});

const invalid = (resource: string, field: string, message: string): Answer => ({
  status: 422,
  body: { message: "Validation Failed", errors: [{ resource, code: "custom", field, message }], status: "422" },
});

/** Starts the simulator at the given address. */
export const startGitHub = async (host: string): Promise<GitHub> => {
  const folder = await mkdtemp(join(tmpdir(), "hearth-github-"));
  await certificates(folder);
  let next = 1001;
  const github: GitHub = {
    address: "",
    authority: join(folder, "ca.crt"),
    keys: new Map<number, DeployKey>(),
    hooks: new Map<number, Hook>(),
    seen: [],
    outages: 0,
    permissions: new Set(["administration", "webhooks"] as const),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  const answer = (request: IncomingMessage, text: string): Answer => {
    github.seen.push(`${request.method ?? ""} ${request.url ?? ""}`);
    if (github.outages > 0) {
      github.outages -= 1;
      return { status: 502, body: { message: "Server Error" } };
    }
    if (!request.headers["user-agent"]) return refusal(403, "Request forbidden by administrative rules.");
    if (request.headers.authorization !== `Bearer ${gitHubAccount.token}`) return refusal(401, "Bad credentials");
    const asked = new URL(request.url ?? "", "https://api.github.com");
    const route = /^\/repos\/([^/]+)\/([^/]+)\/(keys|hooks)(?:\/(\d+))?$/.exec(asked.pathname);
    const [, owner, repository, kind, id] = route ?? [];
    if (owner !== gitHubAccount.owner || repository !== gitHubAccount.repository) return refusal(404, "Not Found");
    if (!github.permissions.has(kind === "keys" ? "administration" : "webhooks")) {
      return refusal(403, "Resource not accessible by personal access token");
    }
    const body = parsed(text);
    if (request.method === "POST" && id === undefined) {
      if (body === undefined) return refusal(400, "Problems parsing JSON");
      next += 1;
      return kind === "keys" ? createKey(github, next, body) : writeHook(github, next, body);
    }
    const all: Map<number, DeployKey | Hook> = kind === "keys" ? github.keys : github.hooks;
    if (request.method === "GET" && id === undefined) return { status: 200, body: pageOf([...all.values()], asked) };
    const found = all.get(Number(id));
    if (!found) return refusal(404, "Not Found");
    if (request.method === "DELETE") return { status: all.delete(Number(id)) ? 204 : 404 };
    if (request.method === "GET") return { status: 200, body: shown(found) };
    // GitHub does not change deploy keys.
    if (request.method !== "PATCH" || kind === "keys") return refusal(404, "Not Found");
    return body === undefined
      ? refusal(400, "Problems parsing JSON")
      : writeHook(github, Number(id), { ...found, ...body });
  };
  const [key, cert] = await Promise.all(["github.key", "github.crt"].map((file) => readFile(join(folder, file))));
  const server = createServer({ key, cert }, (request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      const { status, body } = answer(request, text);
      response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  github.address = `${host}:${(server.address() as AddressInfo).port.toString()}`;
  return github;
};

/** A page of a list. Source: GitHub REST API, "Using pagination": 30 a page by default, 100 at most. */
const pageOf = (all: (DeployKey | Hook)[], { searchParams }: URL): object[] => {
  const size = Math.min(Number(searchParams.get("per_page") ?? 30), 100);
  const begin = (Number(searchParams.get("page") ?? 1) - 1) * size;
  return all.slice(begin, begin + size).map(shown);
};

const parsed = (text: string): Record<string, unknown> | undefined => {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
};

const createKey = (
  { keys }: GitHub,
  id: number,
  { key, title, read_only = false }: Record<string, unknown>,
): Answer => {
  const [type = "", blob = ""] = typeof key === "string" ? key.split(" ") : [];
  const bytes = Buffer.from(blob, "base64");
  // The blob begins with the length and the name of the type.
  const named = bytes.length > 4 ? bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString() : "";
  if (type === "" || named !== type) {
    return invalid("PublicKey", "key", "key is invalid. You must supply a key in OpenSSH public key format");
  }
  const bare = `${type} ${blob}`;
  if ([...keys.values()].some((other) => other.key === bare))
    return invalid("PublicKey", "key", "key is already in use");
  const made = { id, key: bare, title: String(title), read_only: read_only === true };
  keys.set(id, made);
  return { status: 201, body: shown(made) };
};

/** The valid events of a webhook, as far as they concern a repository. */
const events = ["*", "push", "pull_request", "release", "ping", "create", "delete"];

const writeHook = ({ hooks }: GitHub, id: number, body: Record<string, unknown>): Answer => {
  const { name, config, active = true, events: wanted = ["push"] } = body as Partial<Hook>;
  if (name !== "web") return invalid("Hook", "name", 'name must be "web"');
  if (!config || !URL.canParse(config.url)) return invalid("Hook", "url", "url is not a valid URL");
  const wrong = wanted.filter((event) => !events.includes(event));
  if (wrong.length > 0) return invalid("Hook", "events", `events are invalid: ${wrong.join(", ")}`);
  const others = [...hooks.values()].filter((other) => other.id !== id);
  if (others.some((other) => other.config.url === config.url)) {
    return invalid("Hook", "url", "Hook already exists on this repository");
  }
  const isNew = !hooks.has(id);
  const made = { id, name, active, events: wanted, config: { ...defaults, ...config } };
  hooks.set(id, made);
  return { status: isNew ? 201 : 200, body: shown(made) };
};

const defaults = { content_type: "form", insecure_ssl: "0" };

/** An object as the API returns it, without its secret. */
const shown = (what: DeployKey | Hook): object =>
  "config" in what
    ? {
        ...what,
        type: "Repository",
        url: `https://api.github.com/repos/you/hearth/hooks/${what.id.toString()}`,
        config: { ...what.config, ...(what.config.secret !== undefined && { secret: "********" }) },
      }
    : { ...what, verified: true, url: `https://api.github.com/repos/you/hearth/keys/${what.id.toString()}` };

const certificates = async (dir: string): Promise<void> => {
  const openssl = (...args: string[]): Promise<unknown> => promisify(execFile)("openssl", args, { cwd: dir });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await openssl("req", "-x509", ...newKey, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt");
  const signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-subj", "/CN=api.github.com"];
  const name = ["-addext", "subjectAltName=DNS:api.github.com"];
  await openssl("req", "-x509", ...newKey, ...signed, ...name, "-keyout", "github.key", "-out", "github.crt");
};
