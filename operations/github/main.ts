import { runCommand } from "../session.ts";
import { cli } from "./cli.ts";

await runCommand((args) => cli(args, process.env));
