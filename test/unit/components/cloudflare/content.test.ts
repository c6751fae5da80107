import { expect } from "chai";
import fc from "fast-check";

import { isQuotedInPairs, storedContent } from "../../../../components/cloudflare/content.ts";

/** The strings of a TXT record, without their quotes. */
const stringsOf = (content: string): string[] =>
  [...content.matchAll(/"((?:\\.|[^"\\])*)"/gs)].map(([, inner = ""]) => inner);

const plain = (text: string): string => text.replaceAll(/\\(.)/gs, "$1");

describe("the content of a record", () => {
  it("names hosts in lower case and without a final dot", () => {
    expect(storedContent("CNAME", "WWW.Example.net.")).to.equal("www.example.net");
    expect(storedContent("MX", ".")).to.equal(".");
    expect(storedContent("A", "192.0.2.1")).to.equal("192.0.2.1");
  });

  it("keeps the strings of a text that says them itself", () => {
    expect(storedContent("TXT", '"v=DKIM1; " "p=abc"')).to.equal('"v=DKIM1; " "p=abc"');
  });

  it("is any text in strings of at most 255 bytes, and the same when stored again", () => {
    const text = fc.string({ unit: fc.constantFrom("a", " ", '"', "\\", "ä", "🏠"), maxLength: 700 });
    fc.assert(
      fc.property(text, (content) => {
        fc.pre(!/^\s*"|"\s*$/.test(content));
        const stored = storedContent("TXT", content);
        const strings = stringsOf(stored).map(plain);
        expect(strings.join("")).to.equal(content);
        expect(strings.filter((string) => Buffer.byteLength(string) > 255)).to.deep.equal([]);
        expect(storedContent("TXT", stored)).to.equal(stored);
        expect(isQuotedInPairs(stored)).to.equal(true);
      }),
    );
  });

  it("has quotes around all of a text, or none", () => {
    const content = ["a", 'a "b" c', '"a"', '"a" "b"', '"a', 'a"', '"a" b"'];
    expect(content.map(isQuotedInPairs)).to.deep.equal([true, true, true, true, false, false, false]);
  });
});
