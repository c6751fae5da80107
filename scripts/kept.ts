import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export interface KeptOptions {
  /** The file that keeps, for each check by name, the key of what it passed last, and the result. */
  store: string;
  /** Gives the key of the files that patterns match, as they are now. */
  key: (patterns: readonly string[]) => Promise<string>;
}

interface Result {
  passed: boolean;
}

/** Skips checks that passed the same files before. A failure is never kept. */
export class Kept {
  constructor(private readonly options: KeptOptions) {}

  /** Does a check, unless it passed what is there now: then the result is that of then. */
  async unlessPassed<T extends Result>(name: string, patterns: readonly string[], check: () => Promise<T>): Promise<T> {
    const key = await this.options.key(patterns);
    const before = this.read()[name];
    if (before?.key === key) return before.result as T;
    const result = await check();
    // What was edited meanwhile may have been read before or after.
    if (result.passed && (await this.options.key(patterns)) === key)
      this.write({ ...this.read(), [name]: { key, result } });
    return result;
  }

  private read(): Record<string, { key: string; result: Result }> {
    try {
      return JSON.parse(readFileSync(this.options.store, "utf8")) as ReturnType<Kept["read"]>;
    } catch {
      return {};
    }
  }

  private write(results: ReturnType<Kept["read"]>): void {
    mkdirSync(dirname(this.options.store), { recursive: true });
    writeFileSync(this.options.store, JSON.stringify(results));
  }
}
