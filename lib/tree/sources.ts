import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { isCollection, isNode, LineCounter, parseAllDocuments, type Document } from "yaml";

interface Source {
  text: string;
  lines: LineCounter;
  documents: Document[];
}

/** Finds the lines at which things stand in a checkout's YAML files. Lines count from 1. */
export class Sources {
  private readonly read = new Map<string, Source | undefined>();

  constructor(private readonly checkout: string) {}

  /** Line of an object, or of the deepest part of the path in it that the file has; undefined where it is not in the file. */
  lineOf(
    file: string,
    { kind, name }: { kind: string; name: string },
    path: (string | number)[] = [],
  ): number | undefined {
    const source = this.source(file);
    const documents = source?.documents.filter((document) => document.get("kind") === kind) ?? [];
    // A prefix or suffix of kustomize's changes names, but rarely where a file has several of a kind.
    const document = documents.find((each) => each.getIn(["metadata", "name"]) === name) ?? documents[0];
    if (source === undefined || document === undefined) return undefined;
    for (let length = path.length; length >= 0; length--) {
      const start = keyOffset(document, path.slice(0, length));
      if (start !== undefined) return source.lines.linePos(start).line;
    }
    return undefined;
  }

  /** First line that holds the text; undefined where none does. */
  lineNear(file: string, text: string): number | undefined {
    const index =
      this.source(file)
        ?.text.split("\n")
        .findIndex((line) => line.includes(text)) ?? -1;
    return index < 0 ? undefined : index + 1;
  }

  /** Text of a file; empty where there is none. */
  textOf(file: string): string {
    return this.source(file)?.text ?? "";
  }

  /** Content of each of a file's documents; none where there is no such file. */
  contentsOf(file: string): unknown[] {
    return (this.source(file)?.documents ?? [])
      .filter(({ errors }) => errors.length === 0)
      .map((document): unknown => document.toJS());
  }

  /** Whether the checkout has such a file or folder. */
  exists(path: string): boolean {
    return existsSync(join(this.checkout, path));
  }

  private source(file: string): Source | undefined {
    if (!this.read.has(file)) this.read.set(file, this.parse(file));
    return this.read.get(file);
  }

  private parse(file: string): Source | undefined {
    try {
      const text = readFileSync(join(this.checkout, file), "utf8");
      const lines = new LineCounter();
      return {
        text,
        lines,
        documents: parseAllDocuments(text, { lineCounter: lines, logLevel: "silent" }),
      };
    } catch {
      return undefined;
    }
  }
}

/** Where the key of the path's last part stands, or the document's content for an empty path. */
const keyOffset = (document: Document, path: (string | number)[]): number | undefined => {
  if (path.length === 0) return isNode(document.contents) ? document.contents.range?.[0] : undefined;
  const parent = document.getIn(path.slice(0, -1), true);
  if (!isCollection(parent)) return undefined;
  const last = path.at(-1);
  for (const item of parent.items) {
    if (typeof item === "object" && item !== null && "key" in item && isNode(item.key) && item.key.toJSON() === last) {
      return item.key.range?.[0];
    }
  }
  const item = typeof last === "number" ? parent.get(last, true) : undefined;
  return isNode(item) ? item.range?.[0] : undefined;
};
