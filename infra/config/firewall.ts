import { z } from "zod";

import { says } from "./error.ts";
import { anyCidr, name } from "./values.ts";

const isPort = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 65_535;

/** The first and the last port of what a person writes; undefined where it is neither a port nor a range. */
export const portRange = (value: number | string): [first: number, last: number] | undefined => {
  const text = String(value);
  if (!/^\d+(-\d+)?$/.test(text)) return undefined;
  const [first = 0, last = first] = text.split("-").map(Number);
  return isPort(first) && isPort(last) && first <= last ? [first, last] : undefined;
};

const port = z
  .union([z.number(), z.string()], says("is not a port", "write one such as 8080, or a range such as 7000-7099"))
  .refine(
    (value) => portRange(value) !== undefined,
    says("is not a port", "write one such as 8080, or a range such as 7000-7099"),
  );

const from = (example: string) =>
  z.array(anyCidr).min(1, says("is empty", `name at least one range, such as ${example}`));

const rule = z.strictObject({
  /** Ports and ranges of ports. @example [7000, "7100-7199"] */
  ports: z.array(port).min(1, says("is empty", "name at least one port")),
  /** Protocol of the ports. @default "tcp" */
  protocol: z.enum(["tcp", "udp"]).default("tcp"),
  /** Ranges that are let in; `0.0.0.0/0` and `::/0` are everywhere. @example ["10.50.0.0/24"] */
  from: from("10.50.0.0/24"),
  /** Machines that have the rule. @default all */
  role: z.enum(["controlplane", "worker"]).optional(),
});

/** What machines let in. Source: siderolabs/talos v1.13.9, pkg/machinery/config/types/network/rule_config.go. */
export const firewall = z.strictObject({
  /**
   * Ranges from which people and Hearth reach the Talos API and the Kubernetes API, beside the nodes' own subnet. Whoever is in none
   * of them reaches no machine any more.
   *
   * @example ["10.20.0.0/24", "10.8.0.0/24"]
   */
  administrators: from("10.20.0.0/24"),
  /** Further ports that machines answer at, by a name. @example {"ceph":{"ports":[3300,"6800-7568"],"from":["10.50.0.0/24"]}} */
  rules: z.record(name, rule).default({}),
});
