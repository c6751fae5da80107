/** Patterns of strings that Go's YAML library would read as another type unless they are quoted. */
const notAString = [
  /^$/,
  /^(~|null|Null|NULL)$/,
  /^(true|false|yes|no|on|off|y|n)$/i,
  /^[-+]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)([eE][-+]?\d+)?$/,
  /^[-+]?0([xX][\da-fA-F_]+|o[0-7_]+|b[01_]+)$/,
  /^[-+]?\.inf$/i,
  /^\.nan$/i,
  // Numbers in base 60, and dates.
  /^[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?$/,
  /^\d{4}-\d{1,2}-\d{1,2}$/,
];

/** Patterns that a plain scalar may not begin with, contain, or end with. */
const notPlain = /^[#,[\]{}&*!|>'"%@`]|^[-?:]( |$)|: |:$| #|^ | $/;

/**
 * Writes a string as Go's gopkg.in/yaml.v3 does, for text that gets hashed. Control characters are not supported.
 */
export const goYamlString = (text: string): string => {
  if (notAString.some((pattern) => pattern.test(text))) return `"${text}"`;
  return notPlain.test(text) ? `'${text.replaceAll("'", "''")}'` : text;
};
