import { longestBody } from "./github.ts";

/** A line that nobody sees, by which a body is found again. */
export const markerOf = (name: string): string => `<!-- hearth: ${name} -->`;

/** A body with its marker, cut at a line's end where GitHub would refuse it. */
export const markedBody = (name: string, text: string): string => {
  const whole = `${markerOf(name)}\n${text.trim()}\n`;
  if (whole.length <= longestBody) return whole;
  const note = "\n\n_Cut here, as GitHub takes no more; the run has the whole as an artifact._\n";
  const kept = whole.slice(0, longestBody - note.length - 4);
  const cut = kept.slice(0, kept.lastIndexOf("\n"));
  // A code block that was cut open would swallow the note.
  const isOpen = (cut.match(/^```/gm)?.length ?? 0) % 2 === 1;
  return `${cut}${isOpen ? "\n```" : ""}${note}`;
};
