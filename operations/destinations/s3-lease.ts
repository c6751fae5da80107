import type { Lease, LeaseStore } from "../../lib/engine/lease.ts";
import { Problem } from "../../toolchain/problem.ts";
import { leaseText, readLease } from "./lease-text.ts";

export interface S3LeaseArgs {
  /** Name in messages. */
  name: string;
  read: (path: string) => Promise<{ text: string; etag: string } | undefined>;
  /** Writes an object. @throws Problem with the status if the service refuses */
  write: (path: string, text: string, headers: Record<string, string>) => Promise<{ status: number }>;
}

/**
 * Keeps a lease in a bucket. The service compares: it refuses a new object where there is one (`If-None-Match: *`), and another
 * version than the one that was seen (`If-Match`). Source: Amazon S3 User Guide, "How to prevent object overwrites with conditional
 * writes"; versitygw 1.8.0, backend/posix/posix.go, PutObject.
 *
 * A service that does not know conditional writes answers 501, or ignores them. Then of two at once the later one has the lease, and the
 * earlier one sees that when it renews its own.
 */
export const s3Lease = ({ name, read, write }: S3LeaseArgs, path: string): LeaseStore => {
  const key = `${path}.json`;
  const put = async (lease: Lease, condition: Record<string, string>): Promise<void> => {
    const text = leaseText(lease);
    const { status } = await write(key, text, condition);
    if (status === 501) await write(key, text, {});
    else if (status >= 300) throw new Problem(`${name} was changed by somebody else meanwhile: run this again`);
  };
  return {
    name,
    get: async () => {
      const found = await read(key);
      return found && { ...readLease(found.text), version: found.etag };
    },
    create: (lease) => put(lease, { "if-none-match": "*" }),
    replace: (lease, version) => put(lease, { "if-match": version }),
  };
};
