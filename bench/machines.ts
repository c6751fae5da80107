import { parseDocument } from "yaml";

/** The stack file with more workers, so that it has so many machines. */
export const withMachines = (text: string, count: number): string => {
  const document = parseDocument(text);
  for (let index = machinesIn(text); index < count; index += 1) {
    const last = String(20 + index);
    document.setIn(
      ["config", "hearth:nodes", `den-dev-wk${last}`],
      document.createNode({
        ...{ platform: "proxmox", role: "worker", image: "standard", address: `10.20.0.${last}` },
        ...{ mac: `BC:24:11:20:01:${index.toString(16).padStart(2, "0")}`, installDisk: "/dev/sda" },
        proxmox: { host: "pve1", vmId: 3000 + index, cores: 2, memory: 4096, disk: 40 },
      }),
    );
  }
  return document.toString({ lineWidth: 0 });
};

/** Number of machines in a stack file. */
export const machinesIn = (text: string): number =>
  Object.keys((parseDocument(text).toJS() as { config: { "hearth:nodes": object } }).config["hearth:nodes"]).length;
