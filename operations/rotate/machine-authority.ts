import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

import type { BundleCertificate } from "../../components/talos/secrets-bundle.ts";
import { askedForConfiguration, changedText, differOnlyAt, printedText } from "../../lib/cluster/machine-text.ts";
import { documentsOf, untried } from "../../lib/cluster/machine-configuration.ts";
import type { Talosctl } from "../../lib/cluster/talosctl.ts";
import { withPrivateFolder } from "../../lib/secrets/private-folder.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { Authorities } from "./authority-plan.ts";

/** Where a machine's configuration has an authority. Source: siderolabs/talos v1.13.9, v1alpha1_types.go. */
export interface AuthorityPlace {
  /** Path of the issuing one: an object of crt and key, on workers without the key. */
  issuing: string[];
  /** Path of the list of those that are accepted; undefined if Talos has none. */
  accepted: string[] | undefined;
}

/** A machine that is given authorities. */
export interface GivenMachine {
  name: string;
  address: string;
  isControlPlane: boolean;
  /** Whether its configuration has a VIP, except while it is tried without. */
  hasVip: boolean;
}

/** How long a machine may take to show what it was given, in milliseconds. */
const timeout = 120_000;

/** How often it is asked anew before it counts as silent. */
const attempts = 5;

/** A machine's authorities, read and written through the Talos API. */
export class MachineAuthority {
  constructor(
    private readonly machine: GivenMachine,
    private readonly place: AuthorityPlace,
    /** Each is tried: in the course of a rotation machines accept one, or both. */
    private readonly clients: readonly Talosctl[],
  ) {}

  /** @throws Problem if no client is let in, or the machine has no such authority */
  async read(): Promise<Authorities> {
    return this.authoritiesIn(await this.text());
  }

  /** Gives the machine other authorities without a reboot, and waits until it has them. */
  async write({ issuing, accepted }: Authorities, authority: BundleCertificate): Promise<void> {
    const text = await untried(() => this.text(), { machine: this.machine.name, hasVip: this.machine.hasVip });
    const signs = this.authoritiesIn(text).issuing === issuing ? undefined : this.signing(authority);
    const list = accepted.map((crt) => ({ crt }));
    const changed = changedText(text, [
      ...(signs ? [[this.place.issuing, signs] as [string[], unknown]] : []),
      ...(this.place.accepted
        ? [[this.place.accepted, list.length > 0 ? list : undefined] as [string[], unknown]]
        : []),
    ]);
    const paths = [this.place.issuing, ...(this.place.accepted ? [this.place.accepted] : [])];
    if (!differOnlyAt(text, changed, paths))
      throw new Problem(
        `The configuration of ${this.machine.address} would change in more than its authorities: nothing was applied`,
      );
    await withPrivateFolder(async (folder) => {
      const file = join(folder, "machine.yaml");
      await writeFile(file, changed, { mode: 0o600 });
      await this.call(["apply-config", "--mode", "no-reboot", "--file", file]);
    });
    await this.until({ issuing, accepted });
  }

  private signing({ crt, key }: BundleCertificate): object {
    return this.machine.isControlPlane ? { crt, key } : { crt, key: "" };
  }

  private async until(wanted: Authorities): Promise<void> {
    const deadline = Date.now() + timeout;
    for (;;) {
      const has = await this.read().catch((error: unknown) => error as Error);
      if (!(has instanceof Error) && has.issuing === wanted.issuing && isDeepStrictEqual(has.accepted, wanted.accepted))
        return;
      if (Date.now() > deadline) {
        const why = has instanceof Error ? has.message : "it shows others";
        throw new Problem(
          `${this.machine.address} does not show the authorities that it was given (${why}): run this again`,
        );
      }
      await sleep(1000);
    }
  }

  private issuingIn(text: string): BundleCertificate {
    const { crt = "", key = "" } = (at(mainIn(text), this.place.issuing) ?? {}) as Partial<BundleCertificate>;
    if (crt !== "") return { crt, key };
    throw new Problem(
      `The configuration of ${this.machine.address} has no ${this.place.issuing.join(".")}: give the machine the stack's configuration first`,
    );
  }

  private authoritiesIn(text: string): Authorities {
    const { crt, key } = this.issuingIn(text);
    const { accepted: place } = this.place;
    const accepted = (place && at(mainIn(text), place)) as { crt: string }[] | undefined;
    return { issuing: crt, ...(key !== "" && { key }), accepted: (accepted ?? []).map((each) => each.crt) };
  }

  private async text(): Promise<string> {
    return printedText(await this.call(askedForConfiguration));
  }

  /** Tries each client, and all again for a while: a machine that changes its certificate closes its connections. */
  private async call(args: string[]): Promise<string> {
    let problem: unknown;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      if (attempt > 0) await sleep(2000);
      for (const client of this.clients) {
        try {
          return await client.once(this.machine.address, args, 30_000);
        } catch (error) {
          problem ??= error;
        }
      }
    }
    throw problem;
  }
}

/** The document without a kind. */
const mainIn = (text: string): unknown =>
  documentsOf(text).find((each) => (each as { kind?: string }).kind === undefined);

const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined | null)?.[key], value);
