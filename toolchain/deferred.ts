/** A promise that is resolved or rejected from outside. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Those who wait get the failure. A rejection before anyone waits must not end the process.
    this.promise.catch(() => undefined);
  }
}
