/** What a reader finds in a decrypted file, or what is wrong with it. */
export type Read<Held> = { escrow: Held } | { problem: string };
