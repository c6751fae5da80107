import { resolve } from "node:path";

import type { HearthConfig } from "../../infra/config/index.ts";
import { folderPlace } from "./folder.ts";
import { gitPlace } from "./git.ts";
import type { Place } from "./place.ts";
import { s3Place } from "./s3.ts";

export { copyTo, type Copied, type Place } from "./place.ts";
export { folderPlace } from "./folder.ts";
export { tellCopies } from "./tell.ts";
export { writeWhole } from "../../lib/terminal/whole-file.ts";

type Copy = NonNullable<HearthConfig["escrow"]>["copies"][number];

/** The places that the configuration names. */
export const placesOf = ({ escrow }: Pick<HearthConfig, "escrow">, root: string): Place[] =>
  (escrow?.copies ?? []).map((copy) => placeOf(copy, root));

const placeOf = (copy: Copy, root: string): Place => {
  switch (copy.to) {
    case "folder":
      return folderPlace(resolve(root, copy.path));
    case "git":
      return gitPlace(copy);
    case "s3":
      return s3Place(copy);
  }
};
