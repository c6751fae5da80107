import { glob } from "../../components/talos/cel/evaluate.ts";
import { bytes } from "../../infra/config/sizes.ts";
import type { CommonNode } from "../../infra/config/nodes.ts";
import type { Disk } from "../../lib/cluster/hardware.ts";

type Selector = NonNullable<CommonNode["diskSelector"]>;

/**
 * The disks that a selector matches, in the order in which Talos takes them.
 *
 * Source: siderolabs/talos v1.13, pkg/machinery/config/types/v1alpha1/v1alpha1_provider.go, DiskMatchExpression.
 */
export const selected = (selector: Selector, disks: readonly Disk[]): Disk[] =>
  disks.filter(
    (disk) =>
      (disk.transport ?? "") !== "" &&
      disk.readonly !== true &&
      disk.cdrom !== true &&
      hasSize(selector.size, disk.size) &&
      hasType(selector.type, disk) &&
      fits(selector.model, disk.model) &&
      fits(selector.serial, disk.serial) &&
      fits(selector.wwid, disk.wwid) &&
      fits(selector.uuid, disk.uuid) &&
      fits(selector.busPath, disk.bus_path),
  );

const hasSize = (wanted: string | undefined, size: number): boolean => {
  const [, operator = "==", text = ""] = /^(>=|<=|>|<|==)? ?(.+)$/.exec(wanted ?? "") ?? [];
  const limit = bytes(text.replaceAll(" ", ""));
  if (limit === undefined) return true;
  switch (operator) {
    case ">=":
      return size >= limit;
    case "<=":
      return size <= limit;
    case ">":
      return size > limit;
    case "<":
      return size < limit;
    default:
      return size === limit;
  }
};

const hasType = (type: Selector["type"], { transport, rotational = false }: Disk): boolean => {
  switch (type) {
    case "nvme":
      return transport === "nvme";
    case "sd":
      return transport === "mmc";
    case "hdd":
      return rotational;
    case "ssd":
      return !rotational;
    case undefined:
      return true;
  }
};

const fits = (pattern: string | undefined, text = ""): boolean => pattern === undefined || glob(pattern, text);
