import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export interface KeptOptions {
  /** The file that keeps, for each check by name, the key of what it passed last. */
  store: string;
  /** Gives the key of the files that patterns match, as they are now. */
  key: (patterns: readonly string[]) => Promise<string>;
}

/** Skips checks that passed the same files before. A failure is never kept. */
export class Kept {
  constructor(private readonly options: KeptOptions) {}

  /** Does a check, unless it passed what is there now: then the result is undefined. */
  async unlessPassed<T extends { passed: boolean }>(
    name: string,
    patterns: readonly string[],
    check: () => Promise<T>,
  ): Promise<T | undefined> {
    const key = await this.options.key(patterns);
    if (this.read()[name] === key) return undefined;
    const result = await check();
    // What was edited meanwhile may have been read before or after.
    if (result.passed && (await this.options.key(patterns)) === key) this.write({ ...this.read(), [name]: key });
    return result;
  }

  private read(): Record<string, string> {
    try {
      return JSON.parse(readFileSync(this.options.store, "utf8")) as Record<string, string>;
    } catch {
      return {};
    }
  }

  private write(keys: Record<string, string>): void {
    mkdirSync(dirname(this.options.store), { recursive: true });
    writeFileSync(this.options.store, JSON.stringify(keys));
  }
}
