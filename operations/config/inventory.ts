import { table } from "../../lib/terminal/display.ts";
import { format, stackFile } from "../../infra/config/error.ts";
import type { HearthConfig } from "../../infra/config/schema.ts";
import { platformOf, platforms as all } from "../../infra/platforms/index.ts";
import type { Session } from "./session.ts";
import { examineStacks, validStacks } from "./stacks.ts";

const headings = ["STACK", "NODE", "ROLE", "PLATFORM", "ADDRESS", "MAC", "HOST", "VMID", "CORES", "MEMORY", "IMAGE"];

/** Lists the nodes of all stacks; stacks that are not valid are told of instead. */
export const inventory = ({ folder, print, complain }: Session): number => {
  const examined = examineStacks(folder);
  print(
    table(
      headings,
      validStacks(examined).flatMap(([stack, config]) => inventoryRows(stack, config)),
    ),
  );
  const invalid = [...examined].filter(([, { config }]) => !config);
  for (const [stack, { problems }] of invalid) complain(`\n${format(stackFile(stack), problems)}`);
  return invalid.length > 0 ? 1 : 0;
};

/** The nodes of a stack, as the table has them. */
export const inventoryRows = (stack: string, { nodes }: HearthConfig, platforms = all): string[][] =>
  Object.entries(nodes).map(([name, node]) => {
    const { platform, role, address, mac, image } = node;
    const placed = platformOf(node, platforms).placement(node);
    return [
      ...[stack, name, role, platform, address, mac],
      ...(placed ? [placed.host, placed.id, String(placed.cores), `${placed.memory} MiB`] : ["-", "-", "-", "-"]),
      image,
    ];
  });
