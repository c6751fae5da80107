import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LabFolder } from "../lib/engine/lab-folder.ts";
import { engineEnvironment, stateUrl } from "../lib/engine/lab-environment.ts";
import type { LabConfig } from "./lab-config.ts";

const quoted = (value: string): string => `'${value.replaceAll("'", String.raw`'\''`)}'`;

/** Lines for a shell to evaluate, so that kubectl, talosctl and pulumi talk to the lab. */
export const shellExports = (folder: LabFolder): string =>
  [
    `export KUBECONFIG=${quoted(folder.kubeconfig)}`,
    `export TALOSCONFIG=${quoted(folder.talosconfig)}`,
    `export PULUMI_STACK=${quoted(folder.stack)}`,
    `export PULUMI_HOME=${quoted(folder.pulumiHome)}`,
    `export PULUMI_BACKEND_URL=${quoted(stateUrl(folder))}`,
    "unset PULUMI_CONFIG_PASSPHRASE",
    `export PULUMI_CONFIG_PASSPHRASE_FILE=${quoted(folder.passphrase)}`,
    `export PATH=${quoted(folder.bin)}:"$PATH"`,
  ].join("\n");

/** Commands of pulumi that read the stack's configuration, and so need `--config-file`. */
const readConfiguration = ["up", "update", "preview", "pre", "destroy", "refresh", "watch", "import", "config"];

/**
 * A shell script that precedes `pulumi` in PATH. It gives an engine that is run by hand the lab's configuration and
 * simulated internet, without putting either into the rest of the shell.
 */
export const pulumiScript = (folder: LabFolder, lab: LabConfig, pulumi: string): string => {
  const lines = Object.entries(engineEnvironment(folder, lab))
    .filter(([name]) => name !== "PATH")
    .map(([name, value]) => (value === undefined ? `unset ${name}` : `export ${name}=${quoted(value)}`));
  return `#!/bin/sh
# Written by \`npm run lab\`: pulumi as the lab of stack ${folder.stack} has it.
${lines.join("\n")}
export PATH=${quoted(folder.bin)}:${quoted(join(folder.root, "node_modules", ".bin"))}:"$PATH"
case " $* " in *" --policy-pack"*) unset PULUMI_OPTION_POLICY_PACK ;; esac
case " $* " in *" --config-file"*) exec ${quoted(pulumi)} "$@" ;; esac
case "$1" in
  ${readConfiguration.join(" | ")})
    command=$1
    shift
    exec ${quoted(pulumi)} "$command" --config-file ${quoted(folder.derived)} --stack ${quoted(folder.stack)} "$@"
    ;;
esac
exec ${quoted(pulumi)} "$@"
`;
};

/** Reads a file of the lab. Undefined if it does not exist. */
export const readIfThere = (path: string): Promise<string | undefined> => readFile(path, "utf8").catch(() => undefined);
