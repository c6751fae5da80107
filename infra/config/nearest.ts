/** Returns the number of letters to insert, delete, replace or swap with the next to turn one word into another. */
export const distance = (from: string, to: string): number => {
  let [before, previous]: [number[], number[]] = [[], Array.from({ length: to.length + 1 }, (_, index) => index)];
  for (const [row, letter] of Array.from(from).entries()) {
    const current = [row + 1];
    for (const [column, other] of Array.from(to).entries()) {
      const replace = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      const isExchanged = column > 0 && letter === to[column - 1] && from[row - 1] === other;
      const exchange = isExchanged ? (before[column - 1] ?? Infinity) + 1 : Infinity;
      current.push(Math.min(replace, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1, exchange));
    }
    [before, previous] = [previous, current];
  }
  return previous.at(-1) ?? 0;
};

/** Returns the known word that a person most likely meant, if one is close enough: about one letter in three may differ. */
export const nearest = (word: string, known: Iterable<string>): string | undefined => {
  const byDistance = [...known]
    .map((candidate) => ({ candidate, far: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  const [best] = byDistance;
  return best && best.far <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined;
};

/** Advises on an unknown word: use the one that was most likely meant, or one of all known words. */
export const advise = (word: string, known: string[]): string => {
  const meant = nearest(word, known);
  if (meant !== undefined) return `write ${meant}`;
  return known.length === 0 ? "remove it" : `use ${alternatives(known)}`;
};

/** Lists words as `a, b or c`. */
export const alternatives = (words: string[]): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`;
