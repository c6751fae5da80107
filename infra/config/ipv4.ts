/** A range of addresses as numbers, both ends included. */
export interface Range {
  first: number;
  last: number;
}

/** Converts an IPv4 address to its 32-bit number. */
export const toNumber = (address: string): number =>
  address.split(".").reduce((number, octet) => number * 256 + Number(octet), 0);

/** Converts a 32-bit number to its IPv4 address. */
export const toAddress = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");

/** Returns the length of a range's prefix, such as 24 for `10.20.0.0/24`. */
export const prefixLength = (cidr: string): number => Number(cidr.split("/")[1]);

/** Parses a CIDR, `FIRST-LAST`, or a single address. */
export const rangeOf = (text: string): Range => {
  if (text.includes("-")) {
    const [first = "", last = ""] = text.split("-");
    return { first: toNumber(first), last: toNumber(last) };
  }
  if (!text.includes("/")) return { first: toNumber(text), last: toNumber(text) };
  const size = 2 ** (32 - prefixLength(text));
  const first = Math.floor(toNumber(text.split("/")[0] ?? "") / size) * size;
  return { first, last: first + size - 1 };
};

/** Returns the CIDR without host bits, as routers write it. */
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

/** Whether a host may have the address, which is neither the network's own nor the broadcast address. */
export const isHost = (subnet: string, address: string): boolean => {
  const { first, last } = rangeOf(subnet);
  const number = toNumber(address);
  if (prefixLength(subnet) >= 31) return first <= number && number <= last;
  return first < number && number < last;
};

/** Returns the address at an offset from a range's first. */
export const nth = (cidr: string, index: number): string => toAddress(rangeOf(cidr).first + index);

/** Returns the first host addresses of a subnet that none of the taken addresses or ranges contains. */
export const free = (subnet: string, taken: string[], count = 1): string[] => {
  const { first, last } = rangeOf(subnet);
  const found: string[] = [];
  for (let number = first + 1; number < last && found.length < count; number++) {
    const address = toAddress(number);
    if (!taken.some((range) => contains(range, address))) found.push(address);
  }
  return found;
};

/** Whether only hosts of the same network reach an address or a range. Source: RFC 1918, 6598, 3927 and 1122. */
export const isPrivate = (range: string): boolean =>
  ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"].some((each) =>
    contains(each, range),
  );
