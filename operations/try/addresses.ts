import { isMap, isPair, isScalar, parseDocument, visit } from "yaml";

const literal = /(?<![\d.])(\d{1,3})\.(\d{1,3})((?:\.\d{1,3}){2})(?![\d.])(\/\d{1,2})?/g;

/** First octets that mean the same in every network: this host, loopback, link-local, multicast and broadcast. */
const isEverywhere = (first: number): boolean => first === 0 || first === 127 || first === 169 || first >= 224;

/** Of these the lab keeps the committed ones, for they are inside of the cluster. */
const inside = ["podCidr", "serviceCidr"];

/**
 * Moves the addresses of a stack file beside themselves, so that a lab of it and one of the moved file run at the same time.
 *
 * The lab makes 127 of an address's first octet. Here the highest bit of its second octet changes, so that addresses of one network stay
 * in one network. A prefix that is shorter than that stays.
 */
export const movedAside = (stackFile: string): string => {
  const document = parseDocument(stackFile);
  // The deployment says what is wrong with it.
  if (document.errors.length > 0) return stackFile;
  visit(document, {
    Pair: (_, { key }) => (isScalar(key) && inside.includes(String(key.value)) ? visit.SKIP : undefined),
    Scalar: (_, node, path) => {
      const parent = path.at(-1);
      const isKey = isPair(parent) && parent.key === node && isMap(path.at(-2));
      if (isKey || typeof node.value !== "string") return;
      node.value = node.value.replace(literal, moved);
    },
  });
  return document.toString({ lineWidth: 0 });
};

const moved = (whole: string, first: string, second: string, rest: string, prefix = ""): string => {
  const isWide = prefix !== "" && Number(prefix.slice(1)) < 9;
  if (isWide || isEverywhere(Number(first))) return whole;
  return `${first}.${(Number(second) ^ 128).toString()}${rest}${prefix}`;
};
