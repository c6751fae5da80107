import { delimiter, join } from "node:path";

import type { LabFolder } from "./lab-folder.ts";
import type { Environment } from "./pulumi.ts";

/**
 * URL of the state. Without `metadata=skip` each object has a second file beside it, which is not replaced but rewritten:
 * an engine that is killed meanwhile leaves it empty, and the state cannot be read any more.
 */
export const stateUrl = (folder: LabFolder): string => `file://${folder.state}?metadata=skip`;

/** The environment of the lab's engine and plugins, on top of the person's. A variable that is undefined is unset. */
export const engineEnvironment = (
  folder: LabFolder,
  { internet }: { internet: { proxy: string } },
  path: string = process.env.PATH ?? "",
): Environment => {
  const proxy = `http://${internet.proxy}`;
  const exceptions = "127.0.0.0/8,localhost";
  return {
    PATH: [folder.bin, join(folder.root, "node_modules", ".bin"), path].join(delimiter),
    PULUMI_HOME: folder.pulumiHome,
    PULUMI_BACKEND_URL: stateUrl(folder),
    // The passphrase of a real stack, which would win over the file. Source: pulumi 3.259.0, secrets/passphrase/manager.go.
    PULUMI_CONFIG_PASSPHRASE: undefined,
    PULUMI_CONFIG_PASSPHRASE_FILE: folder.passphrase,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // The flag --policy-pack of every preview and update. The engine starts it in the program's folder.
    PULUMI_OPTION_POLICY_PACK: join(folder.root, "policy", "pack"),
    // Policies require an escrow of other stacks, but not of a lab.
    HEARTH_LAB: folder.stack,
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // Programs disagree on the case of these names.
    ...both("HTTPS_PROXY", proxy),
    ...both("HTTP_PROXY", proxy),
    ...both("NO_PROXY", exceptions),
    SSL_CERT_FILE: folder.authority,
    NODE_EXTRA_CA_CERTS: folder.authority,
  };
};

const both = (name: string, value: string): Record<string, string> => ({ [name]: value, [name.toLowerCase()]: value });
