import { isMap, isNode, parseDocument, type YAMLMap } from "yaml";

import { Problem } from "../../toolchain/problem.ts";

/**
 * Adds nodes to a stack file's text, after the last one. Everything else stays as it is, comments too.
 *
 * @param nodes the lines of each, without indentation
 * @throws Problem if the file has no `hearth:nodes` in lines of their own
 */
export const withNodes = (text: string, nodes: readonly string[][], file: string): string => {
  const map = parseDocument(text).getIn(["config", "hearth:nodes"], true);
  if (!isMap(map) || map.flow === true || map.items.length === 0)
    throw new Problem(`${file} has no hearth:nodes in lines of their own: paste the nodes there by hand`);
  const { indent, end } = placeIn(text, map);
  const added = nodes.flatMap((lines) => lines.map((line) => `${indent}${line}\n`)).join("");
  const before = text.slice(0, end);
  return `${before}${before.endsWith("\n") ? "" : "\n"}${added}${text.slice(end)}`;
};

/** The indentation of a map's keys, and where the line of its last value ends. */
const placeIn = (text: string, map: YAMLMap): { indent: string; end: number } => {
  const start = map.range?.[0] ?? 0;
  const indent = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
  const last = map.items.at(-1);
  const value = isNode(last?.value) ? last.value : last?.key;
  const valueEnd = isNode(value) ? (value.range?.[1] ?? start) : start;
  // A block's value ends after its line's end, others before.
  if (text[valueEnd - 1] === "\n") return { indent, end: valueEnd };
  const lineEnd = text.indexOf("\n", valueEnd);
  return { indent, end: lineEnd === -1 ? text.length : lineEnd + 1 };
};
