import { expect } from "chai";
import fc from "fast-check";

import { cut, limit } from "../../../../operations/preview/limit.ts";
import { block, folded } from "../../../../operations/preview/markdown.ts";

const part = fc
  .tuple(fc.string({ unit: "grapheme", maxLength: 40 }), fc.array(fc.string({ maxLength: 120 }), { maxLength: 30 }))
  .map(([title, lines]) =>
    folded(
      title,
      block(
        "diff",
        lines.flatMap((line) => line.split(/[\r\n]/)),
      ),
    ).join("\n"),
  );

/** Whether every block that a text opens is closed in it. */
const isBalanced = (text: string): boolean => {
  let fence: string | undefined;
  let depth = 0;
  for (const line of text.split("\n")) {
    const ticks = /^`{3,}/.exec(line)?.[0];
    if (fence !== undefined) fence = line === fence ? undefined : fence;
    else if (ticks !== undefined) fence = ticks;
    else if (line.startsWith("<details>")) depth += 1;
    else if (line.startsWith("</details>")) depth -= 1;
  }
  return fence === undefined && depth === 0;
};

describe("cut", () => {
  it("never gives more than the limit, nor leaves a block open", () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), fc.integer({ min: 200, max: 4000 }), (parts, most) => {
        const text = cut(parts.join("\n\n"), "`whole.md`", most);
        expect(text.length).to.be.at.most(most);
        expect(isBalanced(text)).to.equal(true);
      }),
    );
  });

  it("says where the whole is, and only when something is missing", () => {
    expect(cut("short\n", "the artifact")).to.equal("short\n");
    const text = cut("line\n".repeat(limit), "the artifact");
    expect(text.length)
      .to.be.at.most(limit)
      .and.at.least(limit - 200);
    expect(text).to.match(/cut here:\*\* all of it is in the artifact\.\n$/);
  });
});
