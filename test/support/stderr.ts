/** Captures what `work` writes to stderr. */
export const stderrOf = async (work: () => Promise<unknown>): Promise<string> => {
  const write = process.stderr.write.bind(process.stderr);
  let said = "";
  process.stderr.write = (text: string | Uint8Array) => {
    said += String(text);
    return true;
  };
  try {
    await work();
  } finally {
    process.stderr.write = write;
  }
  return said;
};
