import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A fake controller's report of how it was started. */
export interface Report {
  pid: number;
  args: string[];
  env: Record<string, string>;
}

/**
 * Writes a program that stands in for a Flux controller: it takes the same listening flags, reports how it was started,
 * and obeys a test over HTTP at its health address (`/say/word`, `/exit/3`, `/ready/yes`, `/alive/no`).
 *
 * Each start adds a line to the file that REPORT names. {@link reports} reads them.
 */
export const fakeController = async (dir: string, name: string): Promise<string> => {
  const path = join(dir, name);
  await writeFile(path, `#!${process.execPath}\n${program}`);
  await chmod(path, 0o755);
  return path;
};

/** A report for each start of a fake controller, oldest first. */
export const reports = async (file: string): Promise<Report[]> =>
  (await readFile(file, "utf8").catch(() => ""))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Report);

const program = `
const { appendFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { REPORT } = process.env;
const tell = (what) => appendFileSync(REPORT, JSON.stringify(what) + "\\n");
tell({ pid: process.pid, args: process.argv.slice(2), env: process.env });
const flag = (name) => process.argv.findLast((arg) => arg.startsWith("--" + name + "="))?.split("=")[1];
const state = { ready: "no", alive: "yes" };
const answers = { readyz: () => state.ready, healthz: () => state.alive };
const server = createServer((request, response) => {
  const [, verb, value] = request.url.split("/");
  if (verb === "say") console.log(value);
  if (verb === "exit") process.exit(Number(value));
  if (verb in state) state[verb] = value;
  const answer = answers[verb]?.() ?? "yes";
  response.writeHead(answer === "yes" ? 200 : 503).end(request.url);
});
const [host, port] = flag("health-addr").split(":");
server.listen(Number(port), host);
process.on("SIGTERM", () => setTimeout(() => process.exit(0), Number(process.env.LINGER ?? 0)));
`;
