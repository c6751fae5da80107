import { execa } from "execa";
import { parse } from "yaml";

import type { BundleCertificate, SecretsBundle } from "../../components/talos/secrets-bundle.ts";
import type { Target } from "../../lib/engine/target.ts";

/** An authority of a cluster: its name in Talos's secrets bundle. */
export type AuthorityName = "os" | "k8s" | "k8saggregator";

/**
 * The authority that a rotation is about to give the machines, kept encrypted in the stack file.
 *
 * It is there before any machine has it: once machines accept nothing else, its key is the only way to reach them.
 */
export class PendingAuthority {
  private readonly key: string;

  constructor(
    private readonly target: Target,
    private readonly name: AuthorityName,
  ) {
    // Not below hearth:, where the program would refuse a key that it does not know.
    this.key = `hearth-rotation:${name}`;
  }

  async get(): Promise<BundleCertificate | undefined> {
    const text = await this.target.engine.configure(["config", "--show-secrets", "--json"]);
    const { value } = (JSON.parse(text) as Record<string, { value?: string } | undefined>)[this.key] ?? {};
    return value === undefined ? undefined : (JSON.parse(value) as BundleCertificate);
  }

  /** Draws one with talosctl, as it does for a new cluster, and keeps it. */
  async draw(talosctl: string, contract: string): Promise<BundleCertificate> {
    const { stdout } = await execa(talosctl, ["gen", "secrets", "--talos-version", contract, "--output-file", "-"]);
    const { crt, key } = (parse(stdout) as SecretsBundle).certs[this.name];
    await this.keep({ crt, key });
    return { crt, key };
  }

  async keep({ crt, key }: BundleCertificate): Promise<void> {
    await this.target.engine.configure(["config", "set", "--secret", this.key], JSON.stringify({ crt, key }));
  }

  async forget(): Promise<void> {
    await this.target.engine.configure(["config", "rm", this.key]);
  }
}
