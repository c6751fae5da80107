// Runs a TypeScript file of the project: `node toolchain/run.mjs FILE [ARGUMENTS…]`. FILE is its path from the root.
import { load } from "./bundle.mjs";

process.argv.splice(1, 1);
await load(process.argv[1]);
