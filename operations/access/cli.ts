import { readFile, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { Kubernetes } from "../../lib/cluster/kubernetes.ts";
import { clientIn, Talosctl } from "../../lib/cluster/talosctl.ts";
import { withPrivateFolder } from "../../lib/secrets/private-folder.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { codeOf, Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { issueKubeconfig, personOf } from "./kubeconfig.ts";
import { lifetimeOf } from "./lifetime.ts";
import { issue, roleOf } from "./talosconfig.ts";

/** How long a machine may take to issue a certificate, in milliseconds. */
const timeout = 30_000;

interface Flags {
  role?: string | undefined;
  person?: string | undefined;
  group?: string[] | undefined;
  for?: string | undefined;
  out?: string | undefined;
}

/** Issues a talosconfig of a role, or a kubeconfig of a person, which ends by itself. */
export const access = (call: Call<Flags>): Promise<number> => {
  const { person, group, role } = call.values;
  if (person === undefined) {
    if (group) throw new Problem("--group is of a person: write --person as well");
    return talosAccess(call);
  }
  if (role !== undefined)
    throw new Problem("--role is of a talosconfig and --person of a kubeconfig: run this once for each");
  return kubernetesAccess(call, person);
};

const talosAccess = async (call: Call<Flags>): Promise<number> => {
  const { values, print, answer } = call;
  const role = roleOf(values.role ?? "reader");
  const lifetime = `${lifetimeOf(values.for ?? "8h")}s`;
  const target = await call.open();
  const file = resolve(values.out ?? `talosconfig-${target.stack}-${values.role ?? "reader"}`);
  const { nodes } = await target.config();
  const { talosconfig } = await target.engine.outputs();
  if (!talosconfig) throw new Problem(`The state of ${target.stack} has no talosconfig: bring the stack up first`);
  const { talosctl = "talosctl" } = await new Toolchain({ root: target.root }).ensure(["talosctl"]);
  const talos = new Talosctl(talosctl, clientIn(talosconfig));
  const ask = (address: string) =>
    withPrivateFolder(async (folder) => {
      const issued = join(folder, "issued");
      await talos.once(address, ["config", "new", issued, "--roles", role, "--crt-ttl", lifetime], timeout);
      return readFile(issued, "utf8");
    });
  await writeNew(file, await issue({ nodes, role, lifetime, ask }));
  print(`${file} is a talosconfig of ${role} for ${values.for ?? "8h"}. It cannot be taken back before it ends`);
  answer({ file, role, lifetime: values.for ?? "8h" });
  return 0;
};

const kubernetesAccess = async (call: Call<Flags>, name: string): Promise<number> => {
  const { values, print, answer } = call;
  const lifetime = lifetimeOf(values.for ?? "8h");
  const target = await call.open();
  const { cluster } = await target.config();
  const person = personOf(name, values.group ?? [], cluster.groups);
  const file = resolve(values.out ?? `kubeconfig-${target.stack}-${name}`);
  await requireNew(file);
  const { kubeconfig } = await target.engine.outputs();
  if (!kubeconfig) throw new Problem(`The state of ${target.stack} has no kubeconfig: bring the stack up first`);
  const api = new Kubernetes(kubeconfig);
  const order = { person, roles: cluster.groups, cluster: cluster.name, kubeconfig, lifetime, api };
  const { text, until } = await issueKubeconfig(order).catch((error: unknown) => {
    if (error instanceof Problem) throw error;
    throw new Problem(`The Kubernetes API of ${target.stack} issues no certificate: ${(error as Error).message}`);
  });
  await writeNew(file, text);
  const roles = person.groups.map((group) => `${group} (${cluster.groups[group] ?? ""})`).join(" and ");
  print(`${file} is a kubeconfig of ${name} in ${roles} until ${until.toISOString()}`);
  print(
    "It cannot be taken back before it ends; removing a group under cluster.groups takes the role from all who are in it",
  );
  answer({ file, person: name, groups: person.groups, until: until.toISOString() });
  return 0;
};

const requireNew = async (file: string): Promise<void> => {
  if (await stat(file).catch(() => undefined)) throw isThere(file);
};

const isThere = (file: string): Problem =>
  new Problem(`${file} is there already: remove it, or name another with --out`);

/** Never overwrites a file: it may be the only key that somebody has. */
const writeNew = async (file: string, text: string): Promise<void> => {
  await writeFile(file, text, { mode: 0o600, flag: "wx" }).catch((error: unknown) => {
    if (codeOf(error) === "EEXIST") throw isThere(file);
    throw error;
  });
};
