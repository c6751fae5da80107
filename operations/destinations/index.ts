import { resolve } from "node:path";

import type { HearthConfig } from "../../infra/config/index.ts";
import { folderDestination } from "./folder.ts";
import { gitDestination } from "./git.ts";
import type { Destination } from "./destination.ts";
import { s3Destination } from "./s3.ts";

export { copySigned, copyTo, type Copied, type Destination } from "./destination.ts";
export { folderDestination } from "./folder.ts";
export { tellCopies } from "./tell.ts";
export { writeWhole } from "../../lib/terminal/whole-file.ts";

type Copy = NonNullable<HearthConfig["escrow"]>["copies"][number];

/** The destinations that the configuration names. */
export const destinationsOf = ({ escrow }: Pick<HearthConfig, "escrow">, root: string): Destination[] =>
  (escrow?.copies ?? []).map((copy) => destinationOf(copy, root));

const destinationOf = (copy: Copy, root: string): Destination => {
  switch (copy.to) {
    case "folder":
      return folderDestination(resolve(root, copy.path));
    case "git":
      return gitDestination(copy);
    case "s3":
      return s3Destination(copy);
  }
};
