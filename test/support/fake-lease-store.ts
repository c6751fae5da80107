import type { Held, Lease, LeaseStore } from "../../lib/engine/lease.ts";

/** A store that refuses what the API server refuses. */
export class FakeStore implements LeaseStore {
  held: Held | undefined;
  changes = 0;

  constructor(readonly name = "the store") {}

  get = () => Promise.resolve(this.held);
  create = (lease: Lease) => {
    if (this.held) return Promise.reject(new Error("409"));
    return this.write(lease);
  };
  replace = (lease: Lease, version: string) =>
    this.held?.version === version ? this.write(lease) : Promise.reject(new Error("409"));

  protected write(lease: Lease): Promise<void> {
    this.changes += 1;
    this.held = { ...lease, version: this.changes.toString() };
    return Promise.resolve();
  }
}
