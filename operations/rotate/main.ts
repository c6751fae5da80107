import { runCommand } from "../session.ts";
import { cli } from "./cli.ts";

await runCommand(cli);
