import { table } from "../../lib/terminal/display.ts";
import { format, stackFile } from "../../infra/config/error.ts";
import type { HearthConfig } from "../../infra/config/schema.ts";
import { platformOf, platforms as all } from "../../infra/platforms/index.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { examineStacks, validStacks } from "./stacks.ts";

const headings = ["STACK", "NODE", "ROLE", "PLATFORM", "ADDRESS", "MAC", "HOST", "VMID", "CORES", "MEMORY", "IMAGE"];

/** Lists the nodes of stacks, and reports the stacks that are not valid. */
export const inventory = ({ root, stacks: wanted, print, complain, answer }: Call): number => {
  const isWanted = ([stack]: [string, unknown]): boolean => wanted.length === 0 || wanted.includes(stack);
  const examined = new Map([...examineStacks(root)].filter(isWanted));
  const nodes = validStacks(examined).flatMap(([stack, config]) => inventoryRows(stack, config));
  print(table(headings, nodes));
  const invalid = [...examined].filter(([, { config }]) => !config);
  for (const [stack, { problems }] of invalid) complain(`\n${format(stackFile(stack), problems)}`);
  const keys = headings.map((heading) => heading.toLowerCase());
  answer(nodes.map((cells) => Object.fromEntries(keys.map((key, index) => [key, cells[index]]))));
  return invalid.length > 0 ? 1 : 0;
};

/** The nodes of a stack, as rows of the table. */
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
