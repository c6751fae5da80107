export type Section = Record<string, unknown>;

/** A value as an object; empty for any other value. */
export const section = (value: unknown): Section =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Section) : {};
