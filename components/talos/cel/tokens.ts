/** Part of an expression's text. */
export interface Token {
  kind: "identifier" | "int" | "uint" | "double" | "string" | "bytes" | "operator" | "end";
  text: string;
  /** Offset of its first character. */
  start: number;
  /** Offset after its last character. */
  end: number;
}

/** What is wrong with an expression. */
export class CelError extends Error {
  /** A predicate that continues the expression's path. */
  readonly problem: string;
  /** What to write instead. */
  readonly advice: string;
  /** A word that nothing is called, and the words that it may stand for. */
  readonly unknown: { word: string; known: string[] } | undefined;

  constructor(problem: string, advice: string, unknown?: { word: string; known: string[] }) {
    super(problem);
    this.name = "CelError";
    this.problem = problem;
    this.advice = advice;
    this.unknown = unknown;
  }
}

/** Source: google/cel-spec, doc/langdef.md, "Syntax". */
const patterns: [Token["kind"] | "space", RegExp][] = [
  ["space", /(?:\s+|\/\/[^\n]*)/y],
  ["bytes", /[bB][rR]?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')/y],
  ["string", /[rR](?:"[^"\n]*"|'[^'\n]*')/y],
  ["string", /"""(?:\\.|[^\\])*?"""|'''(?:\\.|[^\\])*?'''/y],
  ["string", /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/y],
  ["double", /\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?/y],
  ["uint", /(?:0x[\da-fA-F]+|\d+)[uU]/y],
  ["int", /0x[\da-fA-F]+|\d+/y],
  ["identifier", /[A-Za-z_]\w*/y],
  ["operator", /&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()[\]{}]/y],
];

/**
 * Splits an expression into tokens, with one of the kind `end` behind them.
 *
 * @throws CelError for a character that no token begins with
 */
export const tokensOf = (text: string): Token[] => {
  const tokens: Token[] = [];
  for (let start = 0; start < text.length;) {
    const found = tokenAt(text, start);
    if (!found) throw unknownCharacter(text, start);
    if (found.kind !== "space") tokens.push({ ...found, kind: found.kind });
    start = found.end;
  }
  return [...tokens, { kind: "end", text: "", start: text.length, end: text.length }];
};

const tokenAt = (text: string, start: number) => {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = start;
    const match = pattern.exec(text)?.[0];
    if (match !== undefined) return { kind, text: match, start, end: start + match.length };
  }
  return undefined;
};

const unknownCharacter = (text: string, start: number): CelError => {
  const character = text.charAt(start);
  if (character === "=") return new CelError("has = where it compares", "write ==");
  if (character === "&" || character === "|") {
    return new CelError(`has one ${character}`, `write ${character}${character}`);
  }
  if (character === '"' || character === "'") return new CelError("has a text without its end", "close its quotes");
  return new CelError(`has ${character}, which begins nothing in CEL`, "remove it");
};
