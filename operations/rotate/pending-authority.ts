import { execa } from "execa";
import { parse } from "yaml";

import type { BundleCertificate, SecretsBundle } from "../../components/talos/secrets-bundle.ts";
import type { Target } from "../../lib/engine/target.ts";

/** An authority of a cluster: its name in Talos's secrets bundle. */
export type AuthorityName = "os" | "k8s" | "k8saggregator";

/** An authority that machines are being given, and the certificate of the one before. */
export interface Pending extends BundleCertificate {
  from: string;
}

/**
 * The authority that a rotation is about to give the machines, kept encrypted in the stack file.
 *
 * It is there before any machine has it, and the state has it before machines accept nothing else.
 */
export class PendingAuthority {
  private readonly key: string;

  constructor(
    private readonly target: Target,
    name: AuthorityName,
  ) {
    // Not below hearth:, where the program would refuse a key that it does not know.
    this.key = `hearth-rotation:${name}`;
  }

  async get(): Promise<Pending | undefined> {
    const text = await this.target.engine.configure(["config", "--show-secrets", "--json"]);
    const { value } = (JSON.parse(text) as Record<string, { value?: string } | undefined>)[this.key] ?? {};
    return value === undefined ? undefined : (JSON.parse(value) as Pending);
  }

  async keep({ crt, key, from }: Pending): Promise<void> {
    await this.target.engine.reconfigure(["config", "set", "--secret", this.key], JSON.stringify({ crt, key, from }));
  }

  async forget(): Promise<void> {
    await this.target.engine.reconfigure(["config", "rm", this.key]);
  }
}

/** Draws an authority with talosctl, as it does for a new cluster. */
export const drawAuthority = async (
  talosctl: string,
  contract: string,
  name: AuthorityName,
): Promise<BundleCertificate> => {
  const { stdout } = await execa(talosctl, ["gen", "secrets", "--talos-version", contract, "--output-file", "-"]);
  const { crt, key } = (parse(stdout) as SecretsBundle).certs[name];
  return { crt, key };
};
