import type { Expression } from "./parse.ts";

/** What is known of a value. Undefined stands for what is not known. */
export type Known = string | number | boolean | undefined;

/** The values of variables and of fields, such as `disk.size`. What is not named is not known. */
export type Facts = Readonly<Record<string, Known>>;

/**
 * Evaluates an expression as far as the facts reach.
 *
 * A result holds whatever the unknown values are: `false && x` is false, and `true && x` is unknown.
 */
export const evaluate = (expression: Expression, facts: Facts): Known => {
  const inner = (part: Expression) => evaluate(part, facts);
  switch (expression.kind) {
    case "literal":
      return literal(expression);
    case "identifier":
      return facts[expression.name];
    case "field":
      return expression.of.kind === "identifier" ? facts[`${expression.of.name}.${expression.name}`] : undefined;
    case "unary": {
      const of = inner(expression.of);
      if (expression.operator === "!") return typeof of === "boolean" ? !of : undefined;
      return typeof of === "number" ? -of : undefined;
    }
    case "binary":
      return expression.operator === "in"
        ? within(inner(expression.left), expression.right, facts)
        : binary(expression.operator, inner(expression.left), inner(expression.right));
    case "choice": {
      const condition = inner(expression.condition);
      return typeof condition === "boolean" ? inner(condition ? expression.yes : expression.no) : undefined;
    }
    case "call":
      return call(expression, facts);
    default:
      return undefined;
  }
};

const literal = ({ type, text }: Extract<Expression, { kind: "literal" }>): Known => {
  if (type === "bool") return text === "true";
  if (type === "int" || type === "uint" || type === "double") return Number(text.replace(/[uU]$/, ""));
  // A text with an escape or in a longer notation is not worth reading here.
  if (type === "string" && /^("[^"\\]*"|'[^'\\]*')$/.test(text)) return text.slice(1, -1);
  return undefined;
};

const binary = (operator: string, left: Known, right: Known): Known => {
  if (operator === "&&") return left === false || right === false ? false : both(left, right, true);
  if (operator === "||") return left === true || right === true ? true : both(left, right, false);
  if (left === undefined || right === undefined) return undefined;
  switch (operator) {
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    default:
      return typeof left === "number" && typeof right === "number" ? arithmetic(operator, left, right) : undefined;
  }
};

const both = (left: Known, right: Known, result: boolean): Known =>
  left === undefined || right === undefined ? undefined : result;

const arithmetic = (operator: string, left: number, right: number): Known => {
  if (operator === "+") return left + right;
  if (operator === "-") return left - right;
  if (operator === "*") return left * right;
  // Whole numbers divide differently from fractions.
  return undefined;
};

const within = (value: Known, list: Expression, facts: Facts): Known => {
  if (list.kind !== "list" || value === undefined) return undefined;
  const items = list.items.map((item) => evaluate(item, facts));
  if (items.includes(value)) return true;
  return items.includes(undefined) ? undefined : false;
};

const call = ({ name, target, args }: Extract<Expression, { kind: "call" }>, facts: Facts): Known => {
  const [first, second] = [...(target ? [target] : []), ...args].map((arg) => evaluate(arg, facts));
  if (typeof first !== "string" || typeof second !== "string") return undefined;
  if (name === "glob") return glob(first, second);
  if (name === "contains") return first.includes(second);
  if (name === "startsWith") return first.startsWith(second);
  if (name === "endsWith") return first.endsWith(second);
  return undefined;
};

/** A star stands for any text, and nothing else has a meaning. Source: ryanuber/go-glob v1.0.0, glob.go. */
export const glob = (pattern: string, text: string): boolean =>
  new RegExp(`^${pattern.split("*").map(escaped).join("[^]*")}$`).test(text);

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
