import { runCommand } from "../../lib/terminal/session.ts";
import { cli } from "./cli.ts";

await runCommand(cli);
