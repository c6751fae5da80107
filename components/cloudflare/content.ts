/** Types of record whose content is the name of a host. */
const namesHost = new Set(["CNAME", "MX", "NS", "PTR"]);

/** Bytes that one string of a TXT record may have. Source: RFC 1035, 3.3. */
const longest = 255;

/**
 * Returns a record's content as Cloudflare stores it. Any other text would differ from what Cloudflare answers in every preview.
 *
 * Names are stored in lower case and without a final dot; TXT as quoted strings of at most 255 bytes. Source: Cloudflare's API
 * reference, DNS records, and its openapi.yaml of 2026: "Strings exceeding this allowed maximum length are automatically split".
 */
export const storedContent = (type: string, content: string): string => {
  // A single dot declares that the domain receives no mail (RFC 7505).
  if (namesHost.has(type)) return content === "." ? content : content.toLowerCase().replace(/\.$/, "");
  return type === "TXT" ? quoted(content) : content;
};

/** Whether the content of a TXT record has no quotes, or has them in pairs around all of it. */
export const isQuotedInPairs = (content: string): boolean =>
  !/^"|"$/.test(content.trim()) || quotedStrings.test(content.trim());

const quotedStrings = /^"(?:\\.|[^"\\])*"(?:\s+"(?:\\.|[^"\\])*")*$/;

const quoted = (content: string): string => {
  const strings = quotedStrings.test(content.trim())
    ? [...content.matchAll(/"((?:\\.|[^"\\])*)"/g)].map(([, inner = ""]) => inner)
    : [content.replaceAll(/["\\]/g, "\\$&")];
  return strings
    .flatMap(split)
    .map((string) => `"${string}"`)
    .join(" ");
};

/** Splits a string into parts of at most 255 bytes. An escaped character is one byte. */
const split = (string: string): string[] => {
  const parts = [{ text: "", size: 0 }];
  for (const [character] of string.matchAll(/\\\d{3}|\\.|./gsu)) {
    const size = character.startsWith("\\") ? 1 : Buffer.byteLength(character);
    const last = parts.at(-1);
    if (last && last.size + size <= longest) {
      last.text += character;
      last.size += size;
    } else {
      parts.push({ text: character, size });
    }
  }
  return parts.map(({ text }) => text);
};
