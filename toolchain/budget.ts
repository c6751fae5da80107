/** What one piece of work takes. */
export interface Share {
  /** In GiB. */
  memory: number;
  /** Works of the same name never run at the same time. */
  alone: string;
}

/** Lets works run beside each other as far as processors and memory allow. One work may always run. */
export class Budget {
  private readonly waiting: { share: Share; start: () => void }[] = [];
  private readonly running = new Set<Share>();

  constructor(private readonly limit: { slots: number; memory: number }) {}

  /** Runs work as soon as there is room for it. */
  async run<T>(share: Share, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((start) => {
      this.waiting.push({ share, start });
      this.admit();
    });
    try {
      return await work();
    } finally {
      this.running.delete(share);
      this.admit();
    }
  }

  private admit(): void {
    for (const next of [...this.waiting]) {
      if (!this.hasRoomFor(next.share)) continue;
      this.waiting.splice(this.waiting.indexOf(next), 1);
      this.running.add(next.share);
      next.start();
    }
  }

  private hasRoomFor(share: Share): boolean {
    const running = [...this.running];
    if (running.length === 0) return true;
    const memory = running.reduce((sum, each) => sum + each.memory, share.memory);
    return (
      running.length < this.limit.slots &&
      memory <= this.limit.memory &&
      running.every((each) => each.alone !== share.alone)
    );
  }
}
