import { Environment, type ASTNode } from "@marcbachmann/cel-js";

/**
 * What a health expression may name: `object`, an object of the cluster as its API gives it, and `now`, the time.
 *
 * Optional types are those of Kubernetes's own expressions: `object.?status.?phase.orValue("")`.
 */
const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
  .registerVariable("object", "map")
  .registerVariable("now", "google.protobuf.Timestamp");

/** Why an expression cannot be a health expression; undefined if it can. */
export const expressionProblem = (expression: string): string | undefined => {
  const { valid, type, error } = environment.check(expression);
  if (!valid) {
    const at = error?.range === undefined ? "" : ` at its character ${error.range.start + 1}`;
    return `is not an expression${at}: ${error?.summary ?? "it does not parse"}`;
  }
  if (type !== "bool" && type !== "dyn") return `is a value of the type ${type ?? "null"}, and not true or false`;
  return readBy(expression).length === 0 ? "reads nothing of the object" : undefined;
};

/**
 * Evaluates an expression on an object.
 *
 * @throws Error if the object lacks what the expression reads
 */
export const evaluate = (expression: string, object: unknown, now: Date): unknown =>
  environment.evaluate(expression, { object: counted(object), now }) as unknown;

/** Kubernetes counts in integers, and the library takes a JavaScript number for a fraction. */
const counted = (value: unknown): unknown => {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(counted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, counted(inner)]));
};

/** The paths below the object that an expression reads, without those that are a part of another one. @example [["status", "phase"]] */
export const readBy = (expression: string): string[][] => {
  const paths = pathsIn(environment.parse(expression).ast);
  const texts = paths.map((path) => path.join("."));
  return paths.filter(
    (_, index) =>
      texts.indexOf(texts[index] ?? "") === index && !texts.some((other) => other.startsWith(`${texts[index] ?? ""}.`)),
  );
};

const isNode = (value: unknown): value is ASTNode => typeof value === "object" && value !== null && "op" in value;

const pathsIn = (node: unknown): string[][] => {
  if (Array.isArray(node)) return node.flatMap(pathsIn);
  if (!isNode(node)) return [];
  const path = pathOf(node);
  return path === undefined ? pathsIn(node.args) : [path];
};

/** The path of fields that a node selects of the object; undefined if it is another node. */
const pathOf = (node: ASTNode): string[] | undefined => {
  if (node.op === "id") return node.args === "object" ? [] : undefined;
  if (node.op !== "." && node.op !== ".?" && node.op !== "[]" && node.op !== "[?]") return undefined;
  const [of, key] = node.args as [ASTNode, ASTNode | string];
  const name = isNode(key) ? (key.op === "value" ? key.args : undefined) : key;
  const before = pathOf(of);
  return before === undefined || typeof name !== "string" ? undefined : [...before, name];
};
