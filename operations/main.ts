import { sweepPrivateFolders } from "../lib/secrets/private-folder.ts";
import { terminal } from "../lib/terminal/session.ts";
import { explain } from "../toolchain/problem.ts";
import { commands } from "./commands.ts";
import { hearth } from "./hearth.ts";

sweepPrivateFolders();
// An open plugin or connection must not keep a finished command alive.
hearth(process.argv.slice(2), terminal(), commands).then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    console.error(explain(error));
    process.exit(1);
  },
);
