import { table } from "../../lib/terminal/display.ts";
import { format, stackFile } from "../../infra/config/error.ts";
import type { HearthConfig } from "../../infra/config/schema.ts";
import type { Session } from "./session.ts";
import { examineStacks, validStacks } from "./stacks.ts";

const headings = ["STACK", "NODE", "ROLE", "PLATFORM", "ADDRESS", "MAC", "HOST", "VMID", "CORES", "MEMORY", "IMAGE"];

/** Lists the nodes of all stacks; stacks that are not valid are told of instead. */
export const inventory = ({ folder, print, complain }: Session): number => {
  const examined = examineStacks(folder);
  print(
    table(
      headings,
      validStacks(examined).flatMap(([stack, config]) => rows(stack, config)),
    ),
  );
  const invalid = [...examined].filter(([, { config }]) => !config);
  for (const [stack, { problems }] of invalid) complain(`\n${format(stackFile(stack), problems)}`);
  return invalid.length > 0 ? 1 : 0;
};

const rows = (stack: string, { nodes }: HearthConfig): string[][] =>
  Object.entries(nodes).map(([name, { role, address, mac, image, proxmox: vm }]) => [
    stack,
    name,
    role,
    vm ? "proxmox" : "metal",
    address,
    mac,
    ...(vm ? [vm.host, String(vm.vmId), String(vm.cores), `${vm.memory} MiB`] : ["-", "-", "-", "-"]),
    image,
  ]);
