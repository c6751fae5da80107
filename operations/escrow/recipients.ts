import { isSeq, isMap, isScalar, parseDocument } from "yaml";

import { Problem } from "../../toolchain/problem.ts";

/** Recipients to add and to remove. */
export interface Exchange {
  add: readonly string[];
  remove: readonly string[];
}

const path = ["config", "hearth:escrow", "recipients"];

/**
 * Exchanges recipients in the text of a stack file and keeps the rest of it. Pure.
 *
 * @param name of the file in messages
 */
export const exchangeRecipients = (text: string, { add, remove }: Exchange, name: string): string => {
  const document = parseDocument(text);
  if (!isMap(document.get("config"))) throw new Problem(`${name} is no stack file: it has no config`);
  if (!document.hasIn(path)) document.setIn(path, document.createNode([]));
  const list = document.getIn(path);
  if (!isSeq(list)) throw new Problem(`${name}: hearth:escrow.recipients is no list`);
  const named = (): string[] => list.items.map((item) => String(isScalar(item) ? item.value : item));
  for (const recipient of remove) {
    const index = named().indexOf(recipient);
    if (index < 0) throw new Problem(`${name} does not name ${recipient}: it names ${named().join(", ") || "nobody"}`);
    list.delete(index);
  }
  for (const recipient of add) if (!named().includes(recipient)) list.add(document.createNode(recipient));
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
};
