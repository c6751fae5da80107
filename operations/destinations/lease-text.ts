import type { Lease } from "../../lib/engine/lease.ts";

/** A lease as destinations keep it. It is no secret. */
export const leaseText = (lease: Lease): string => `${JSON.stringify(lease, undefined, 2)}\n`;

/** How long a lease that cannot be read is watched, in seconds. */
const unknownDuration = 300;

/** Reads a lease. One that cannot be read is somebody's: it may be only half written. */
export const readLease = (text: string): Lease => {
  const { holder, acquired, renewed, duration } = objectIn(text);
  return {
    holder: typeof holder === "string" ? holder : "unknown",
    acquired: typeof acquired === "string" ? acquired : "",
    renewed: typeof renewed === "string" ? renewed : "",
    duration: typeof duration === "number" && duration > 0 ? duration : unknownDuration,
  };
};

const objectIn = (text: string): Partial<Record<keyof Lease, unknown>> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
};
