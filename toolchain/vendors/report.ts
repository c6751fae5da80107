import { hostOf } from "./probe.ts";
import type { Group } from "./wanted.ts";

const count = (number: number): string => `${number.toString()} ${number === 1 ? "tool" : "tools"}`;

/** Summarises which tools are downloaded and from where, which are built, and why. */
export const plan = (downloads: readonly Group[], built: ReadonlyMap<string, string>): string => {
  const downloaded = downloads.flatMap(({ names }) => names).length;
  const hosts = [...new Set(downloads.map(({ wanted }) => hostOf(wanted)))].sort();
  const parts: string[] = [];
  if (downloaded > 0) parts.push(`${downloaded.toString()} downloaded from ${hosts.join(", ")}`);
  if (built.size > 0) parts.push(`${built.size.toString()} built: ${reasons(built)}`);
  return `${count(downloaded + built.size)} missing: ${parts.join("; ")}`;
};

/** Groups the names by reason. */
const reasons = (built: ReadonlyMap<string, string>): string => {
  const byReason = new Map<string, string[]>();
  for (const [name, reason] of built) byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  return [...byReason].map(([reason, names]) => `${names.join(", ")} (${reason})`).join("; ");
};
