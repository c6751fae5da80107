/** Where a command runs, and whom it talks to. */
export interface Session {
  /** Folder of the stack files. */
  folder: string;
  /** Says what was asked for. */
  print: (text: string) => void;
  /** Says what is wrong. */
  complain: (text: string) => void;
  /** Asks the person; undefined where nobody is there. */
  ask: ((question: string) => Promise<string>) | undefined;
}
