import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

import { macOf, maintenanceResources, physicalLinks, type Link } from "../../lib/cluster/hardware.ts";
import { machineState } from "../../lib/cluster/machine-state.ts";
import { withPrivateFolder } from "../../lib/secrets/private-folder.ts";
import type { Waiting } from "./move.ts";

/** How long talosctl may take to hand a configuration over, in milliseconds. */
const applyTimeout = 30_000;

/** The answers by which a machine refuses a configuration. Others are of a connection that ended. */
const refusals = /InvalidArgument|FailedPrecondition|Unimplemented|PermissionDenied/;

/** Machines in maintenance mode, by talosctl. */
export const waitingMachines = (talosctl: string): Waiting => ({
  state: (address) => machineState(address, ""),
  macs: async (address) => {
    const links = await maintenanceResources<Omit<Link, "name">>(talosctl, address, "links");
    return physicalLinks(links.map(({ metadata, spec }) => ({ ...spec, name: metadata.id }))).map(macOf);
  },
  apply: (address, configuration) =>
    withPrivateFolder(async (folder) => {
      const file = join(folder, "network.yaml");
      await writeFile(file, configuration);
      const args = ["apply-config", "--insecure", "--nodes", address, "--file", file];
      const { stderr } = await execa(talosctl, args, { reject: false, stdin: "ignore", timeout: applyTimeout });
      return refusals.test(stderr) ? stderr.trim().split("\n").at(-1) : undefined;
    }),
});
