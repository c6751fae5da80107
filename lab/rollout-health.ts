import { section } from "../components/talos/section.ts";
import { systems } from "../lib/rollout/systems.ts";
import { hasController } from "./tree.ts";

/**
 * The `rollout` of a stack file without the health of objects whose controllers do not run in the lab. Nothing there writes the status that
 * Ceph's or a database's operator would, so a rollout would wait for it in vain.
 */
export const labRollout = (rollout: unknown): Record<string, unknown> => {
  const { health, ...rest } = section(rollout);
  const { expressions, skip, ...other } = section(health);
  const unknown = Object.entries(systems).flatMap(([system, checks]) => (checks.every(hasController) ? [] : [system]));
  return {
    ...rest,
    health: {
      ...other,
      ...(Array.isArray(expressions) && { expressions: expressions.filter((each) => hasController(section(each))) }),
      skip: [...new Set([...(Array.isArray(skip) ? (skip as unknown[]) : []), ...unknown])],
    },
  };
};
