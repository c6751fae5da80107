// What Pulumi runs: the program, and as its default export the stack's outputs.
import "../toolchain/untraced.mjs";
import { load } from "../toolchain/bundle.mjs";

export default { ...(await load("infra/index.ts")) };
