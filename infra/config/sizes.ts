const powers = ["K", "M", "G", "T"];

/** Returns the bytes of a size such as `100GiB`, or undefined for a share of a disk. */
export const bytes = (size: string | undefined): number | undefined => {
  const [, number, unit = "", binary] = /^([\d.]+)([KMGT])(i?)B$/.exec(size ?? "") ?? [];
  return number === undefined ? undefined : Number(number) * (binary ? 1024 : 1000) ** (powers.indexOf(unit) + 1);
};

/** Bytes that EPHEMERAL has at least. Source: siderolabs/talos v1.13.9, pkg/machinery/imager/quirks/partitions.go, EphemeralMinSize. */
export const leastEphemeral = 2 * 1024 ** 3;
