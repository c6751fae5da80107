import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { clientIn, Talosctl } from "../../lib/cluster/talosctl.ts";
import { withPrivateFolder } from "../../lib/secrets/private-folder.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { codeOf, Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { issue, lifetimeOf, roleOf } from "./talosconfig.ts";

/** How long a machine may take to issue a certificate, in milliseconds. */
const timeout = 30_000;

/** Issues a talosconfig of a role, which ends by itself. */
export const access = async (
  call: Call<{ role?: string | undefined; for?: string | undefined; out?: string | undefined }>,
): Promise<number> => {
  const { values, print, answer } = call;
  const role = roleOf(values.role ?? "reader");
  const lifetime = lifetimeOf(values.for ?? "8h");
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
  answer({ file, role, lifetime });
  return 0;
};

/** Never overwrites a file: it may be the only key that somebody has. */
const writeNew = async (file: string, text: string): Promise<void> => {
  await writeFile(file, text, { mode: 0o600, flag: "wx" }).catch((error: unknown) => {
    if (codeOf(error) === "EEXIST")
      throw new Problem(`${file} is there already: remove it, or name another with --out`);
    throw error;
  });
};
