/** A range of IPv6 addresses as numbers, both ends included. */
interface Range {
  first: bigint;
  last: bigint;
}

/** Converts an IPv6 address to its 128-bit number. */
export const toNumber = (address: string): bigint => {
  const [head = "", tail] = withoutDots(address).split("::");
  const before = groups(head);
  const after = groups(tail ?? "");
  const middle = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => 0n);
  return [...before, ...middle, ...after].reduce((number, group) => (number << 16n) | group, 0n);
};

const groups = (text: string): bigint[] => (text === "" ? [] : text.split(":").map((group) => BigInt(`0x${group}`)));

/** Writes an end such as `192.0.2.1` as two groups. */
const withoutDots = (address: string): string =>
  address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });

/** Converts a 128-bit number to its IPv6 address, in the form of RFC 5952. */
export const toAddress = (number: bigint): string => {
  const all = Array.from({ length: 8 }, (_, index) => ((number >> BigInt(16 * (7 - index))) & 0xffffn).toString(16));
  const runs = [...all.join(":").matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)].map(([run]) => run);
  const [longest] = runs.sort((a, b) => b.length - a.length);
  if (longest === undefined) return all.join(":");
  return all.join(":").replace(new RegExp(`(^|:)${longest}(:|$)`), "::");
};

/** Returns the length of a range's prefix, such as 64 for `fd00::/64`. */
export const prefixLength = (cidr: string): number => Number(cidr.split("/")[1]);

/** Parses a CIDR or a single address. */
const rangeOf = (text: string): Range => {
  const [address = "", length = "128"] = text.split("/");
  const size = 1n << BigInt(128 - Number(length));
  const first = (toNumber(address) / size) * size;
  return { first, last: first + size - 1n };
};

/** Returns the CIDR without host bits and in its shortest form. */
export const canonical = (cidr: string): string => `${toAddress(rangeOf(cidr).first)}/${prefixLength(cidr)}`;

export const overlap = (a: string, b: string): boolean => {
  const [one, other] = [rangeOf(a), rangeOf(b)];
  return one.first <= other.last && other.first <= one.last;
};

/** Whether the outer range contains every address of the inner one. */
export const contains = (outer: string, inner: string): boolean => {
  const [out, inside] = [rangeOf(outer), rangeOf(inner)];
  return out.first <= inside.first && inside.last <= out.last;
};

/** Whether a host may have the address. The first of a range is the routers' (RFC 4291, 2.6.1). */
export const isHost = (subnet: string, address: string): boolean =>
  contains(subnet, address) && toNumber(address) !== rangeOf(subnet).first;

/** Returns the address at an offset from a range's first. */
export const nth = (cidr: string, index: number): string => toAddress(rangeOf(cidr).first + BigInt(index));

/** Whether it is an address or a range of the private ones (RFC 4193), or of a link only (RFC 4291). */
export const isPrivate = (range: string): boolean => ["fc00::/7", "fe80::/10"].some((each) => contains(each, range));
