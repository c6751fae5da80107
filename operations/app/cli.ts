import { existsSync, globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import type { Call } from "../../lib/terminal/command.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";
import { Problem } from "../../toolchain/problem.ts";
import { appFiles, withApp, withCallback, withGrant, type NewApp } from "./files.ts";

interface AppFlags {
  image?: string | undefined;
  port?: string | undefined;
  user?: string | undefined;
  host?: string | undefined;
  in?: string | undefined;
  "sign-on"?: boolean | undefined;
}

const security = "gitops/infrastructure/security";

/** Writes the folder of a new app, and its lines in the files of the tree that name apps. */
export const app = async ({ root, args, values, print, answer }: Call<AppFlags>): Promise<number> => {
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
  const all = [...Object.entries(appFiles(made)), ...edited];
  for (const [path, text] of all) await writeWhole(file(path), text);
  print(
    [
      ...all.map(([path]) => path),
      "",
      `${name} is on in ${wanted}. Check it with npx hearth check ${wanted} --tree, commit and push`,
    ].join("\n"),
  );
  answer({ files: all.map(([path]) => path) });
  return 0;
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
  };
};
