import { join } from "node:path";

import { Display } from "../../lib/terminal/display.ts";
import { explain } from "../../toolchain/problem.ts";
import { cli } from "./cli.ts";

const display = new Display();
try {
  process.exitCode = await cli(process.argv.slice(2), {
    root: join(import.meta.dirname, "../.."),
    print: (text) => {
      display.clear();
      console.log(text);
    },
    say: (text, passing) => {
      if (passing) display.live(text);
      else display.line(text);
    },
  });
} catch (error) {
  display.clear();
  console.error(explain(error));
  process.exitCode = 1;
}
