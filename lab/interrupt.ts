/** Thrown when the person asks to stop. */
export class Interrupted extends Error {}

/** Waits for work that cannot be cancelled, or until the signal: the command is about to end then. */
export const interruptible = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_, reject) => {
      const stop = (): void => {
        reject(new Interrupted());
      };
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop, { once: true });
    }),
  ]);
