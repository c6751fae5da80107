const powers = ["K", "M", "G", "T"];

/** Returns the bytes of a size such as `100GiB`, or undefined for a share of a disk. */
export const bytes = (size: string | undefined): number | undefined => {
  const [, number, unit = "", binary] = /^([\d.]+)([KMGT])(i?)B$/.exec(size ?? "") ?? [];
  return number === undefined ? undefined : Number(number) * (binary ? 1024 : 1000) ** (powers.indexOf(unit) + 1);
};
