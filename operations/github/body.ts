import { longestBody } from "./github.ts";

/** An invisible line that identifies a body. */
export const markerOf = (name: string): string => `<!-- hearth: ${name} -->`;

/** A body with its marker, cut at the end of a line if GitHub would refuse it. */
export const markedBody = (name: string, text: string): string => {
  const whole = `${markerOf(name)}\n${text.trim()}\n`;
  if (whole.length <= longestBody) return whole;
  const note = "\n\n_Cut here, as GitHub takes no more; the run has the whole as an artifact._\n";
  const kept = whole.slice(0, longestBody - note.length - 4);
  const cut = kept.slice(0, kept.lastIndexOf("\n"));
  // A note after an unclosed code block would become part of the block.
  const isOpen = (cut.match(/^```/gm)?.length ?? 0) % 2 === 1;
  return `${cut}${isOpen ? "\n```" : ""}${note}`;
};
