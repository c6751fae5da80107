import { join } from "node:path";

import { trusting } from "../../infra/authorities.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";
import { Problem } from "../../toolchain/problem.ts";

/** Writes the certificates that the stack file names, and prints the line by which a shell uses it. */
export const trust = async (call: Call): Promise<number> => {
  const target = await call.open();
  const { proxmox } = await target.config();
  if (proxmox?.ca === undefined && proxmox?.fingerprint === undefined)
    throw new Problem(
      `${target.stack} trusts what this computer trusts: it has no proxmox.ca and no proxmox.fingerprint`,
    );
  const certificates = await target.engine.certificates();
  if (certificates.length === 0)
    throw new Problem(
      `Proxmox at ${new URL(proxmox.endpoint).host} does not answer, so its certificate cannot be compared: run this again when it does`,
    );
  const file = join(target.root, ".hearth", `certificates-${target.stack}`, "proxmox.pem");
  await writeWhole(file, certificates.join("\n"));
  const { SSL_CERT_DIR: folders } = trusting(file, { ...process.env, ...target.environment });
  call.print(`export SSL_CERT_DIR='${folders.replaceAll("'", String.raw`'\''`)}'`);
  call.answer({ file, added: certificates.length });
  return 0;
};
