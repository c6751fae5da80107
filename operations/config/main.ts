import { runCommand } from "../../lib/terminal/session.ts";
import { cli } from "./cli.ts";

await runCommand((args, { print, complain, ask }) => cli(args, { folder: process.cwd(), print, complain, ask }));
