import { CelError, tokensOf, type Token } from "./tokens.ts";

interface At {
  /** Offsets of the expression's text. */
  start: number;
  end: number;
}

/** A parsed expression. */
export type Expression = At &
  (
    | { kind: "literal"; type: "int" | "uint" | "double" | "string" | "bytes" | "bool" | "null"; text: string }
    | { kind: "identifier"; name: string }
    | { kind: "field"; of: Expression; name: string }
    | { kind: "index"; of: Expression; index: Expression }
    | { kind: "call"; name: string; target: Expression | undefined; args: Expression[] }
    | { kind: "unary"; operator: string; of: Expression }
    | { kind: "binary"; operator: string; left: Expression; right: Expression }
    | { kind: "choice"; condition: Expression; yes: Expression; no: Expression }
    | { kind: "list"; items: Expression[] }
    | { kind: "map"; entries: [Expression, Expression][] }
  );

/** What other languages write for an operator. */
const words: Record<string, string> = { and: "&&", or: "||" };

/** Binary operators, the loosest first. */
const levels = [["||"], ["&&"], ["<", "<=", ">=", ">", "==", "!=", "in"], ["+", "-"], ["*", "/", "%"]];

/**
 * Parses an expression of the Common Expression Language, as in the selectors of Talos's disks.
 *
 * It knows everything but messages that are constructed, such as `Type{field: value}`. Source: google/cel-spec, doc/langdef.md.
 *
 * @throws CelError for a text that is no expression
 */
export const parseCel = (text: string): Expression => {
  const parser = new Parser(tokensOf(text));
  const expression = parser.choice();
  parser.expectEnd();
  return expression;
};

class Parser {
  private next = 0;

  private readonly tokens: Token[];

  constructor(tokens: Token[]) {
    this.tokens = tokens;
  }

  choice(): Expression {
    const condition = this.binary(0);
    if (!this.takes("?")) return condition;
    const yes = this.binary(0);
    this.expect(":");
    const no = this.choice();
    return { kind: "choice", condition, yes, no, start: condition.start, end: no.end };
  }

  expectEnd(): void {
    const { token, previous } = this;
    if (token.kind === "end") return;
    if (token.kind === "identifier" && (previous?.kind === "int" || previous?.kind === "uint")) {
      const number = previous.text.replace(/[uU]$/, "");
      throw new CelError(`has ${token.text} right behind ${previous.text}`, `write ${number}u * ${token.text}`);
    }
    const operator = words[token.text];
    if (operator !== undefined) throw new CelError(`has ${token.text} between two conditions`, `write ${operator}`);
    throw unexpected(token);
  }

  private binary(level: number): Expression {
    const operators = levels[level];
    if (!operators) return this.unary();
    let left = this.binary(level + 1);
    while (operators.includes(this.token.text)) {
      const operator = this.take().text;
      const right = this.binary(level + 1);
      left = { kind: "binary", operator, left, right, start: left.start, end: right.end };
    }
    return left;
  }

  private unary(): Expression {
    const { start, text } = this.token;
    if (!["!", "-"].includes(text)) return this.member();
    this.take();
    const of = this.unary();
    return { kind: "unary", operator: text, of, start, end: of.end };
  }

  private member(): Expression {
    let of = this.primary();
    for (;;) {
      const { start } = of;
      if (this.takes(".")) {
        const name = this.name();
        of = this.takes("(")
          ? { kind: "call", name: name.text, target: of, args: this.list(")"), start, end: this.previousEnd }
          : { kind: "field", of, name: name.text, start, end: name.end };
      } else if (this.takes("[")) {
        const index = this.choice();
        this.expect("]");
        of = { kind: "index", of, index, start, end: this.previousEnd };
      } else {
        return of;
      }
    }
  }

  private primary(): Expression {
    const token = this.take();
    const { kind, text, start, end } = token;
    if (kind === "identifier") {
      if (text === "true" || text === "false") return { kind: "literal", type: "bool", text, start, end };
      if (text === "null") return { kind: "literal", type: "null", text, start, end };
      if (text === "in") throw unexpected(token);
      if (!this.takes("(")) return { kind: "identifier", name: text, start, end };
      return { kind: "call", name: text, target: undefined, args: this.list(")"), start, end: this.previousEnd };
    }
    if (kind !== "operator" && kind !== "end") return { kind: "literal", type: kind, text, start, end };
    if (text === "(") {
      const inner = this.choice();
      this.expect(")");
      return { ...inner, start, end: this.previousEnd };
    }
    if (text === "[") return { kind: "list", items: this.list("]"), start, end: this.previousEnd };
    if (text === "{") return { kind: "map", entries: this.entries(), start, end: this.previousEnd };
    throw unexpected(token);
  }

  private list(close: string): Expression[] {
    const items: Expression[] = [];
    while (!this.takes(close)) {
      items.push(this.choice());
      if (!this.takes(",")) {
        this.expect(close);
        break;
      }
      if (close === ")" && this.token.text === ")") throw unexpected(this.token);
    }
    return items;
  }

  private entries(): [Expression, Expression][] {
    const entries: [Expression, Expression][] = [];
    while (!this.takes("}")) {
      const key = this.choice();
      this.expect(":");
      entries.push([key, this.choice()]);
      if (!this.takes(",")) {
        this.expect("}");
        break;
      }
    }
    return entries;
  }

  private name(): Token {
    const token = this.take();
    if (token.kind !== "identifier") throw unexpected(token);
    return token;
  }

  private get token(): Token {
    return this.tokens[this.next] ?? { kind: "end", text: "", start: 0, end: 0 };
  }

  private get previous(): Token | undefined {
    return this.tokens[this.next - 1];
  }

  private get previousEnd(): number {
    return this.previous?.end ?? 0;
  }

  private take(): Token {
    const { token } = this;
    this.next++;
    return token;
  }

  private takes(text: string): boolean {
    if (this.token.kind !== "operator" || this.token.text !== text) return false;
    this.next++;
    return true;
  }

  private expect(text: string): void {
    if (!this.takes(text)) throw unexpected(this.token, text);
  }
}

const unexpected = ({ kind, text }: Token, instead?: string): CelError =>
  kind === "end"
    ? new CelError("ends too early", instead === undefined ? "complete it" : `add ${instead}`)
    : new CelError(`has ${text} where ${instead ?? "a value"} belongs`, "complete it, or remove what is too much");
