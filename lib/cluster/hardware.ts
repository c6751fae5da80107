import { execa } from "execa";
import { parseAllDocuments } from "yaml";

import { Problem } from "../../toolchain/problem.ts";

/** A disk of a machine. Source: siderolabs/talos v1.13, pkg/machinery/resources/block/disk.go. */
export interface Disk {
  dev_path: string;
  /** Bytes. */
  size: number;
  transport?: string;
  rotational?: boolean;
  readonly?: boolean;
  cdrom?: boolean;
  model?: string;
  serial?: string;
  wwid?: string;
  uuid?: string;
  bus_path?: string;
}

/** A link of a machine. Source: siderolabs/talos v1.13, pkg/machinery/resources/network/link_status.go. */
export interface Link {
  name: string;
  type: string;
  kind: string;
  hardwareAddr: string;
  permanentAddr?: string;
}

/** The links that are hardware of the machine's own. */
export const physicalLinks = (links: readonly Link[]): Link[] =>
  links.filter(({ type, kind }) => type === "ether" && kind === "");

/** The address that a link was made with, in capitals. */
export const macOf = ({ permanentAddr, hardwareAddr }: Link): string => (permanentAddr ?? hardwareAddr).toUpperCase();

/** A resource as talosctl prints it. */
export interface Resource<T> {
  metadata: { id: string };
  spec: T;
}

/** How long talosctl may take for an answer, in milliseconds. */
const talosTimeout = 6000;

/**
 * Asks a machine in maintenance mode, which answers anybody, for all resources of a type.
 *
 * @param talosctl path of the program
 * @throws Problem with talosctl's reason
 */
export const maintenanceResources = async <T>(
  talosctl: string,
  address: string,
  type: string,
): Promise<Resource<T>[]> => {
  const args = ["get", type, "--insecure", "--nodes", address, "--output", "yaml"];
  const options = { reject: false, stdin: "ignore", timeout: talosTimeout } as const;
  const { exitCode, stdout, stderr } = await execa(talosctl, args, options);
  const reason = stderr.trim().split("\n").at(-1) ?? "";
  if (exitCode !== 0) throw new Problem(`talosctl get ${type}: ${reason === "" ? "no answer" : reason}`);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Resource<T>);
};
