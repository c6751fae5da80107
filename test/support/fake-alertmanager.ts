import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import type { Alertmanager } from "../../lib/cluster/alertmanager.ts";

interface Posted {
  id?: string;
  matchers?: { name?: string; value?: string; isRegex?: boolean; isEqual?: boolean }[];
  startsAt?: string;
  endsAt?: string;
  createdBy?: string;
  comment?: string;
}

interface Kept {
  id: string;
  matchers: Required<NonNullable<Posted["matchers"]>[number]>[];
  startsAt: number;
  endsAt: number;
  createdBy: string;
  comment: string;
}

type Answer = [status: number, body: unknown];

/**
 * Alertmanager's silences over its API, which refuse what it refuses.
 *
 * Source: Alertmanager v0.34.0: api/v2/openapi.yaml (required keys), api/v2/api.go (postSilencesHandler), silence/silence.go
 * (validateSilence, Set, canUpdate, expire).
 */
export class FakeAlertmanager {
  readonly silences = new Map<string, Kept>();
  /** Whether it answers with an error of the API server that stands before it. */
  isAway = false;
  private server: Server | undefined;

  /** Starts it. @returns its URL */
  async start(): Promise<string> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        const [status, answer] = this.isAway
          ? [503, { kind: "Status", message: "no endpoints available for service" }]
          : this.answer(request.method ?? "", request.url ?? "", body);
        response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(answer));
      });
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  /** Its pod moves to another machine, without its volume. */
  forget(): void {
    this.silences.clear();
  }

  /** Whether an alert is silenced now. */
  mutes(labels: Record<string, string>): boolean {
    return [...this.silences.values()]
      .filter((each) => this.stateOf(each) === "active")
      .some(({ matchers }) => matchers.every((matcher) => matches(matcher, labels[matcher.name] ?? "")));
  }

  stateOf({ startsAt, endsAt }: Kept, now = Date.now()): "pending" | "active" | "expired" {
    if (now < startsAt) return "pending";
    return now > endsAt ? "expired" : "active";
  }

  private answer(method: string, url: string, body: string): Answer {
    const [, id] = /^\/api\/v2\/silence\/(.+)$/.exec(url) ?? [];
    if (method === "GET" && id !== undefined) {
      const found = this.silences.get(id);
      if (!found) return [404, ""];
      const times = { startsAt: new Date(found.startsAt).toISOString(), endsAt: new Date(found.endsAt).toISOString() };
      return [200, { ...found, ...times, status: { state: this.stateOf(found) } }];
    }
    if (method === "POST" && url === "/api/v2/silences") return this.post(JSON.parse(body) as Posted);
    return [404, { code: 404, message: `path ${url} was not found` }];
  }

  private post(posted: Posted): Answer {
    for (const key of ["matchers", "startsAt", "endsAt", "createdBy", "comment"] as const)
      if (posted[key] === undefined) return [422, { code: 602, message: `silence.${key} in body is required` }];
    const { id = "", matchers = [], createdBy = "", comment = "" } = posted;
    if (matchers.length === 0) return [422, { code: 612, message: "matchers in body should have at least 1 items" }];
    for (const matcher of matchers)
      for (const key of ["name", "value", "isRegex"] as const)
        if (matcher[key] === undefined) return [422, { code: 602, message: `matchers.${key} in body is required` }];
    const [startsAt, endsAt] = [Date.parse(posted.startsAt ?? ""), Date.parse(posted.endsAt ?? "")];
    const now = Date.now();
    if (startsAt >= endsAt) return [400, "Failed to create silence: start time must be before end time"];
    if (endsAt < now) return [400, "Failed to create silence: end time can't be in the past"];
    const silence: Kept = {
      ...{ id, startsAt, endsAt, createdBy, comment },
      matchers: matchers.map(({ name = "", value = "", isRegex = false, isEqual = true }) => ({
        ...{ name, value, isRegex, isEqual },
      })),
    };
    const set = "at least one matcher must not match the empty string";
    if (silence.matchers.every((each) => matches(each, ""))) return [400, `invalid silence: matcher set 0: ${set}`];
    const before = this.silences.get(id);
    if (id !== "" && !before) return [404, "silence not found"];
    if (before && this.canUpdate(before, silence, now)) {
      this.silences.set(id, silence);
      return [200, { silenceID: id }];
    }
    if (before && this.stateOf(before) !== "expired") before.endsAt = now;
    const created = { ...silence, id: randomUUID(), startsAt: Math.max(startsAt, now) };
    this.silences.set(created.id, created);
    return [200, { silenceID: created.id }];
  }

  private canUpdate(before: Kept, after: Kept, now: number): boolean {
    if (JSON.stringify(before.matchers) !== JSON.stringify(after.matchers)) return false;
    const state = this.stateOf(before, now);
    if (state === "expired") return false;
    if (state === "pending") return after.startsAt >= now;
    return Math.floor(before.startsAt / 1000) === Math.floor(after.startsAt / 1000);
  }
}

const matches = ({ value, isRegex, isEqual }: Kept["matchers"][number], label: string): boolean =>
  (isRegex ? new RegExp(`^(?:${value})$`).test(label) : value === label) === isEqual;

/** Asks an Alertmanager at a URL. */
export const alertmanagerAt =
  (url: string): Alertmanager =>
  async (method, path, body) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
    return { status: answer.status, body: await answer.text() };
  };
