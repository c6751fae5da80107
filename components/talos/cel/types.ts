import type { Expression } from "./parse.ts";
import { CelError } from "./tokens.ts";

/** A type: a name, or `list(T)`. `dyn` stands for what is not known before the expression is evaluated. */
export type CelType = string;

/** The variables, fields and functions that an expression may use. */
export interface Environment {
  variables: Readonly<Record<string, CelType>>;
  /** Fields by the type that has them. */
  fields: Readonly<Record<string, Readonly<Record<string, CelType>>>>;
  /** Functions that the environment adds to CEL's own. */
  functions: Readonly<Record<string, { args: CelType[]; result: CelType }>>;
}

/**
 * Returns the type of an expression.
 *
 * CEL converts no numbers: `int`, `uint` and `double` do not mix. Source: google/cel-go v0.26.1, common/stdlib/standard.go;
 * comparisons across types are off unless an environment enables them, which Talos's does not.
 *
 * @throws CelError for an expression that Talos would not compile
 */
export const typeOf = (expression: Expression, environment: Environment, text: string): CelType => {
  const inner = (part: Expression) => typeOf(part, environment, text);
  const shown = ({ start, end }: Expression) => text.slice(start, end);
  switch (expression.kind) {
    case "literal":
      return expression.type;
    case "identifier":
      return variable(expression.name, environment);
    case "field":
      return field(inner(expression.of), expression.name, shown(expression.of), environment);
    case "index":
      return indexed(inner(expression.of), inner(expression.index), shown(expression));
    case "list": {
      const types = new Set(expression.items.map(inner));
      return `list(${types.size === 1 ? [...types].join("") : "dyn"})`;
    }
    case "map":
      for (const entry of expression.entries) entry.forEach(inner);
      return "map";
    case "choice": {
      require("bool", inner(expression.condition), shown(expression.condition));
      const [yes, no] = [inner(expression.yes), inner(expression.no)];
      if (!fits(yes, no)) throw mixed(shown(expression), yes, no);
      return yes === "dyn" ? no : yes;
    }
    case "unary":
      return unary(expression.operator, inner(expression.of), shown(expression.of));
    case "binary":
      return binary(
        expression.operator,
        { kind: expression.left.kind, type: inner(expression.left), shown: shown(expression.left) },
        { kind: expression.right.kind, type: inner(expression.right), shown: shown(expression.right) },
        shown(expression),
      );
    case "call":
      return call(expression, environment, text);
  }
};

const fits = (a: CelType, b: CelType): boolean =>
  a === b || a === "dyn" || b === "dyn" || (a.startsWith("list(") && b.startsWith("list(") && fits(item(a), item(b)));

const item = (list: CelType): CelType => (list.startsWith("list(") ? list.slice(5, -1) : "dyn");

const require = (wanted: CelType, found: CelType, shown: string): void => {
  if (!fits(wanted, found)) {
    throw new CelError(`has ${shown}, ${named(found)}, where ${named(wanted)} belongs`, `write ${named(wanted)}`);
  }
};

/** The names of types are values too. */
const typeNames = ["int", "uint", "double", "string", "bytes", "bool", "list", "map", "type", "null_type"];

const variable = (name: string, { variables }: Environment): CelType => {
  const type = typeNames.includes(name) ? "dyn" : variables[name];
  if (type !== undefined) return type;
  const known = Object.keys(variables);
  throw new CelError(
    `has ${name}, which Talos does not know`,
    "write a text in quotes, and a size such as 100u * GiB",
    {
      word: name,
      known,
    },
  );
};

const field = (of: CelType, name: string, shown: string, { fields }: Environment): CelType => {
  if (of === "dyn" || of === "map") return "dyn";
  const known = fields[of];
  if (!known) throw new CelError(`has .${name} behind ${shown}, ${named(of)}, which has no fields`, "remove it");
  const type = known[name];
  if (type !== undefined) return type;
  const names = Object.keys(known);
  throw new CelError(`has ${shown}.${name}, which is no field`, `use one of ${names.join(", ")}`, {
    word: name,
    known: names,
  });
};

const indexed = (of: CelType, index: CelType, shown: string): CelType => {
  if (of.startsWith("list(") && fits("int", index)) return item(of);
  if (of === "map" || of === "dyn") return "dyn";
  throw new CelError(`has ${shown}, and that cannot be indexed so`, "index a list by a number");
};

const unary = (operator: string, of: CelType, shown: string): CelType => {
  if (operator === "!") {
    require("bool", of, shown);
    return "bool";
  }
  if (["int", "double", "dyn"].includes(of)) return of;
  throw new CelError(`has -${shown}, and ${named(of)} has none to change`, "remove the minus");
};

interface Side {
  kind: Expression["kind"];
  type: CelType;
  shown: string;
}

const numbers = ["int", "uint", "double"];
const ordered = [...numbers, "string", "bytes", "bool", "duration", "timestamp", "dyn"];
const summed = [...numbers, "string", "bytes", "duration", "dyn"];

const binary = (operator: string, left: Side, right: Side, shown: string): CelType => {
  if (operator === "&&" || operator === "||") {
    require("bool", left.type, left.shown);
    require("bool", right.type, right.shown);
    return "bool";
  }
  if (operator === "in") {
    if (right.type === "map" || right.type === "dyn") return "bool";
    if (!right.type.startsWith("list(")) {
      throw new CelError(`has ${right.shown}, ${named(right.type)}, where a list belongs`, `write [${right.shown}]`);
    }
    if (!fits(left.type, item(right.type))) throw mixed(shown, left.type, item(right.type));
    return "bool";
  }
  if (!fits(left.type, right.type)) throw signed(left, right, shown) ?? mixed(shown, left.type, right.type);
  const type = left.type === "dyn" ? right.type : left.type;
  if (operator === "==" || operator === "!=") return "bool";
  if (["<", "<=", ">=", ">"].includes(operator)) {
    if (!ordered.includes(type)) throw new CelError(`has ${shown}, and ${named(type)} has no order`, "compare by ==");
    return "bool";
  }
  const operands = operator === "+" ? [...summed, ...(type.startsWith("list(") ? [type] : [])] : [...numbers, "dyn"];
  if (!operands.includes(type)) {
    throw new CelError(`has ${shown}, and ${operator} is not for ${named(type)}`, "use numbers");
  }
  return type;
};

const mixed = (shown: string, left: CelType, right: CelType): CelError => {
  const unsigned = left === "uint" || right === "uint";
  const both = unsigned ? `${named("uint")}, such as 100u` : named(left);
  return new CelError(`has ${shown}, where ${named(left)} meets ${named(right)}`, `make both of them ${both}`);
};

const names: Record<CelType, string> = {
  bool: "true or false",
  int: "a number with a sign",
  uint: "a number without a sign",
  double: "a fraction",
  string: "a text",
  null: "nothing",
};

/** What messages call a type. */
const named = (type: CelType): string => names[type] ?? (type.startsWith("list(") ? "a list" : `a ${type}`);

/** Sizes are unsigned, and a plain number is signed: the usual mistake. */
const signed = (left: Side, right: Side, shown: string): CelError | undefined => {
  const plain = [left, right].find(({ kind, type }) => kind === "literal" && type === "int");
  const other = plain === left ? right : left;
  if (!plain || other.type !== "uint") return undefined;
  return new CelError(
    `has ${shown}, and sizes are numbers without a sign`,
    `write ${shown.replace(plain.shown, `${plain.shown}u`)}`,
  );
};

/** CEL's own functions, which are also methods of their first argument. `dyn` is any type. */
const functions: Environment["functions"] = {
  contains: { args: ["string", "string"], result: "bool" },
  startsWith: { args: ["string", "string"], result: "bool" },
  endsWith: { args: ["string", "string"], result: "bool" },
  matches: { args: ["string", "string"], result: "bool" },
  size: { args: ["dyn"], result: "int" },
  int: { args: ["dyn"], result: "int" },
  uint: { args: ["dyn"], result: "uint" },
  double: { args: ["dyn"], result: "double" },
  string: { args: ["dyn"], result: "string" },
  bytes: { args: ["dyn"], result: "bytes" },
  bool: { args: ["dyn"], result: "bool" },
  dyn: { args: ["dyn"], result: "dyn" },
  type: { args: ["dyn"], result: "dyn" },
  duration: { args: ["dyn"], result: "duration" },
  timestamp: { args: ["dyn"], result: "timestamp" },
};

const onlyMethods = ["contains", "startsWith", "endsWith"];
const methods = [...onlyMethods, "matches", "size"];

/** Macros that go through a list, and the type of what they give for the type of their last argument. */
const macros: Record<string, (body: CelType) => CelType> = {
  all: () => "bool",
  exists: () => "bool",
  exists_one: () => "bool",
  filter: (list) => list,
  map: (body) => `list(${body})`,
};

type Call = Extract<Expression, { kind: "call" }>;

const call = (expression: Call, environment: Environment, text: string): CelType => {
  const { name, target, args } = expression;
  const shown = text.slice(expression.start, expression.end);
  if (name === "has" && !target) return presence(args, environment, text, shown);
  if (target && name in macros && args.length >= 2) return macro(expression, target, environment, text);
  const given = target ? [target, ...args] : args;
  const known = target
    ? methods.includes(name) && functions[name]
    : (environment.functions[name] ?? (onlyMethods.includes(name) ? undefined : functions[name]));
  if (!known) {
    const advice = "use glob(PATTERN, TEXT), or TEXT.contains, TEXT.startsWith, TEXT.endsWith or TEXT.matches";
    throw new CelError(`has ${target ? "." : ""}${name}(), which Talos does not know`, advice);
  }
  const { args: wanted, result } = known;
  if (given.length !== wanted.length) {
    throw new CelError(`has ${shown}, and ${name} is for ${wanted.length} values`, "complete it");
  }
  given.forEach((arg, index) => {
    require(wanted[index] ?? "dyn", typeOf(arg, environment, text), text.slice(arg.start, arg.end));
  });
  return result;
};

const presence = (args: Expression[], environment: Environment, text: string, shown: string): CelType => {
  const [only] = args;
  if (args.length !== 1 || only?.kind !== "field") {
    throw new CelError(`has ${shown}, and has() asks for a field`, "write one such as has(disk.serial)");
  }
  typeOf(only, environment, text);
  return "bool";
};

const macro = (
  { name, args, start, end }: Call,
  target: Expression,
  environment: Environment,
  text: string,
): CelType => {
  const list = typeOf(target, environment, text);
  const [each, body] = args;
  if (each?.kind !== "identifier" || body === undefined) {
    throw new CelError(`has ${text.slice(start, end)}, and ${name} begins with a name`, "write one such as each");
  }
  if (!list.startsWith("list(") && list !== "map" && list !== "dyn") {
    throw new CelError(
      `has ${text.slice(target.start, target.end)}, ${named(list)}, where a list belongs`,
      "use a list",
    );
  }
  const inner = { ...environment, variables: { ...environment.variables, [each.name]: item(list) } };
  const type = typeOf(body, inner, text);
  if (name !== "map") require("bool", type, text.slice(body.start, body.end));
  return name === "filter" ? list : (macros[name]?.(type) ?? "dyn");
};
