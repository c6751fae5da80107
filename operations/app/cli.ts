import { randomBytes } from "node:crypto";
import { existsSync, globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { Call } from "../../lib/terminal/command.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";
import { Problem } from "../../toolchain/problem.ts";
import { identitiesAtHand } from "../../lib/secrets/keys.ts";
import { SecretFiles } from "../secret/files.ts";
import { PlainFile } from "../secret/plain-file.ts";
import { secretManifest } from "../secret/template.ts";
import { readValues } from "../secret/values.ts";
import {
  appFiles,
  backupPassword,
  secretComponent,
  withApp,
  withCallback,
  withGrant,
  type NewApp,
  type Volume,
} from "./files.ts";

interface AppFlags {
  image?: string | undefined;
  port?: string | undefined;
  user?: string | undefined;
  host?: string | undefined;
  in?: string | undefined;
  "sign-on"?: boolean | undefined;
  volume?: string | undefined;
  size?: string | undefined;
  database?: boolean | undefined;
  secret?: string[] | undefined;
}

const security = "gitops/infrastructure/security";

/**
 * Writes the folder of a new app, its lines in the files of the tree that name apps, and its secrets.
 *
 * @param input source of the secrets' values
 */
export const app = async (
  { root, args, values, print, answer, ...call }: Call<AppFlags>,
  input: NodeJS.ReadableStream = process.stdin,
): Promise<number> => {
  const [verb, name = "", ...rest] = args;
  if (verb !== "new" || rest.length > 0) throw new Problem("Write npx hearth app new NAME");
  const made = newApp(name, values);
  const file = (path: string): string => join(root, path);
  if (existsSync(file(`gitops/apps/${name}`)))
    throw new Problem(`gitops/apps/${name} is there already: name another app`);
  const wanted = values.in ?? "dev";
  const lists = globSync("gitops/clusters/*/kustomization.yaml", { cwd: root }).filter(
    (path) => clusterOf(path) !== "shared",
  );
  if (!lists.some((path) => clusterOf(path) === wanted)) {
    throw new Problem(
      `gitops/clusters/${wanted} is not there: name a cluster with --in, such as ${lists.map(clusterOf).join(" or ")}`,
    );
  }
  const edits: [path: string, edit: (text: string) => string][] = [
    ...lists.map((path): [string, (text: string) => string] => [
      path,
      (text) => withApp(text, name, clusterOf(path) === wanted),
    ]),
  ];
  if (made.signOn) {
    edits.push(
      [`${security}/oauth2-proxy/app/grants.yaml`, (text) => withGrant(text, name)],
      [`${security}/keycloak/config/realm.yaml`, (text) => withCallback(text, made.host)],
    );
  }
  // Everything is known before anything is written.
  const edited = await Promise.all(
    edits.map(async ([path, edit]) => [path, edit(await readFile(file(path), "utf8"))] as const),
  );
  const folder = `gitops/clusters/${wanted}`;
  const encrypted = await secretsOf(made, folder, { root, input, ...call });
  const component: [string, string][] =
    made.secrets.length > 0 ? [[`${folder}/secrets/${name}/kustomization.yaml`, secretComponent(name)]] : [];
  const all = [...Object.entries(appFiles(made)), ...component, ...edited];
  for (const [path, text] of all) await writeWhole(file(path), text);
  for (const { write } of encrypted) await write();
  const written = [...all.map(([path]) => path), ...encrypted.map(({ path }) => path)];
  print(
    [
      ...written,
      "",
      `${name} is on in ${wanted}. Check it with npx hearth check ${wanted} --tree, commit and push`,
    ].join("\n"),
  );
  answer({ files: written });
  return 0;
};

interface Encrypted {
  path: string;
  write: () => Promise<void>;
}

/**
 * The encrypted files of an app in one environment: a Secret of its own, and the password of its backups.
 *
 * @throws Problem if a value is missing, or if nobody here opens the environment's file
 */
const secretsOf = async (
  { name, secrets, volume }: NewApp,
  folder: string,
  {
    root,
    input,
    ...call
  }: { root: string; input: NodeJS.ReadableStream } & Pick<Call, "isLab" | "identities" | "ask" | "complain">,
): Promise<Encrypted[]> => {
  if (secrets.length === 0 && !volume) return [];
  const files = await SecretFiles.open(root, call.isLab);
  const own = `${folder}/secrets/${name}/${name}.sops.yaml`;
  const environment = `${folder}/environment.sops.yaml`;
  const encrypted: Encrypted[] = [];
  if (volume) {
    const identities = await identitiesAtHand(call.identities);
    const known = new PlainFile(await files.read(environment, identities)).values();
    const key = backupPassword(name);
    // A former app of that name has backups, which only its password opens.
    if (!(key in known)) {
      const password = randomBytes(32).toString("hex");
      encrypted.push({ path: environment, write: () => files.set(environment, key, password, identities) });
    }
  }
  if (secrets.length > 0) {
    const manifest = secretManifest({ name, values: await readValues(secrets, input, call) });
    encrypted.push({ path: own, write: () => files.create(own, manifest) });
  }
  await Promise.all(encrypted.map(({ path }) => files.requireRule(path)));
  return encrypted;
};

const clusterOf = (path: string): string => basename(dirname(path));

const newApp = (name: string, values: AppFlags): NewApp => {
  const isName = (text: string): boolean => /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(text);
  if (!isName(name)) throw new Problem(`${name || "That"} is not a name: write letters, digits and -, such as notes`);
  const { image = "", host = name } = values;
  if (!/^[a-z0-9.-]+(:\d+)?\/[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/.test(image)) {
    throw new Problem("--image names registry, repository, tag and digest, such as docker.io/you/notes:1.2.3@sha256:…");
  }
  if (!isName(host)) throw new Problem(`--host ${host} is not one part of a host name: write one such as notes`);
  const number = (flag: string, text: string, most: number): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value > 0 && value <= most) return value;
    throw new Problem(`--${flag} ${text} is not a number from 1 to ${most.toString()}`);
  };
  return {
    ...{ name, image, host },
    port: number("port", values.port ?? "8080", 65_535),
    user: number("user", values.user ?? "65532", 4_294_967_294),
    signOn: values["sign-on"] === true,
    volume: volumeOf(values),
    hasDatabase: values.database === true,
    secrets: secretsNamed(values.secret ?? []),
  };
};

/** How many days a new volume may begin empty: its first backup comes in the first night. */
const emptyDays = 14;

const volumeOf = ({ volume: path, size }: AppFlags): Volume | undefined => {
  if (path === undefined) {
    if (size !== undefined) throw new Problem("--size is of a volume: name with --volume where the container has it");
    return undefined;
  }
  if (!/^(\/[\w.-]+)+$/.test(path) || /^\/tmp(\/|$)/.test(path))
    throw new Problem(`--volume ${path} is no folder for a volume: write one such as /data`);
  if (size !== undefined && !/^[1-9]\d*[MGT]i$/.test(size))
    throw new Problem(`--size ${size} is not a size: write one such as 5Gi`);
  const until = new Date(Date.now() + emptyDays * 86_400_000).toISOString().slice(0, 10);
  return { path, size: size ?? "5Gi", emptyUntil: until };
};

const secretsNamed = (keys: readonly string[]): string[] => {
  const wrong = keys.find((key) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(key));
  if (wrong !== undefined)
    throw new Problem(`--secret ${wrong} is not the name of a variable: write one such as API_TOKEN`);
  return [...new Set(keys)];
};
