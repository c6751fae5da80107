import { evaluate } from "./evaluate.ts";
import { parseCel } from "./parse.ts";
import { CelError } from "./tokens.ts";
import { typeOf, type Environment } from "./types.ts";

/** Source: siderolabs/talos v1.13.9, pkg/machinery/cel/celenv/celenv.go, DiskLocator; v1.12.11 has the same. */
const units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "kB", "MB", "GB", "TB", "PB", "EB"];

/** Source: siderolabs/talos v1.13.9 and v1.12.11, api/resource/definitions/block/block.proto, DiskSpec. */
const disk = {
  size: "uint",
  io_size: "uint",
  sector_size: "uint",
  readonly: "bool",
  model: "string",
  serial: "string",
  modalias: "string",
  wwid: "string",
  bus_path: "string",
  sub_system: "string",
  transport: "string",
  rotational: "bool",
  cdrom: "bool",
  dev_path: "string",
  pretty_size: "string",
  secondary_disks: "list(string)",
  uuid: "string",
  symlinks: "list(string)",
};

const environment: Environment = {
  variables: { disk: "disk", system_disk: "bool", ...Object.fromEntries(units.map((unit) => [unit, "uint"])) },
  fields: { disk },
  functions: { glob: { args: ["string", "string"], result: "bool" } },
};

/** Finds what keeps Talos from compiling an expression that selects disks. Undefined if nothing does. */
export const diskSelectorProblem = (text: string): CelError | undefined => {
  try {
    const type = typeOf(parseCel(text), environment, text);
    if (type === "bool" || type === "dyn") return undefined;
    return new CelError("compares nothing", "write a comparison, such as disk.size > 100u * GB");
  } catch (error) {
    if (error instanceof CelError) return error;
    throw error;
  }
};

/** What is known of a disk before its machine runs. What is undefined is not known. */
export interface DiskFacts {
  /** Whether Talos is installed on it. */
  system?: boolean;
  /** Bytes. */
  size?: number;
  /** Whether it is a virtual disk of Proxmox on a SCSI controller. */
  virtual?: boolean;
}

/**
 * Whether an expression selects a disk. Undefined if that depends on what is not known, or if the expression is not valid.
 *
 * Source: siderolabs/go-blockdevice v2.0.20, block/device_linux.go: disks of virtio_scsi have the transport virtio.
 */
export const selectsDisk = (text: string, { system, size, virtual }: DiskFacts): boolean | undefined => {
  if (diskSelectorProblem(text)) return undefined;
  const result = evaluate(parseCel(text), {
    ...sizes,
    system_disk: system,
    "disk.size": size,
    ...(virtual && { "disk.transport": "virtio", "disk.readonly": false, "disk.cdrom": false }),
  });
  return typeof result === "boolean" ? result : undefined;
};

const sizes = Object.fromEntries(
  units.map((unit) => [
    unit,
    (unit.endsWith("iB") ? 1024 : 1000) ** (["K", "M", "G", "T", "P", "E"].indexOf(unit.charAt(0).toUpperCase()) + 1),
  ]),
);
