import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";

/**
 * Lines of an input that are shown nowhere: readline takes the echo from a terminal, and what it would show itself is dropped.
 */
export class HiddenLines {
  private readonly lines: Interface;
  private readonly iterator: AsyncIterator<string>;

  constructor(input: NodeJS.ReadableStream & { isTTY?: boolean }) {
    const output = new Writable({
      write: (_chunk, _encoding, done) => {
        done();
      },
    });
    this.lines = createInterface({ input, output, terminal: input.isTTY === true, historySize: 0 });
    this.iterator = this.lines[Symbol.asyncIterator]();
  }

  /** The next line without the spaces around it; undefined at the end. */
  async next(): Promise<string | undefined> {
    const { value, done } = (await this.iterator.next()) as IteratorResult<string, undefined>;
    return done === true ? undefined : value.trim();
  }

  close(): void {
    this.lines.close();
  }
}
