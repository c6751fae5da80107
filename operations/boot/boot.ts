import type { Call } from "../../lib/terminal/command.ts";
import { Internet } from "../doctor/internet.ts";
import { firstBoots } from "./images.ts";
import { register } from "./register.ts";
import { bootText } from "./text.ts";

/** Says what machines of metal have to boot, after it has made sure that the Image Factory has it. */
export const boot = async (call: Call<{ static?: boolean | undefined }>): Promise<number> => {
  const { print, answer, args, stack } = call;
  const target = await call.open();
  const config = await target.config();
  const boots = firstBoots(config, stack, args[0], call.values.static);
  if (boots.length === 0) {
    print(`${stack} has no machine of metal: deploy makes and boots virtual machines by itself`);
    answer([]);
    return 0;
  }
  const internet = await Internet.of(target.environment);
  try {
    for (const each of boots) await register(internet, config.imageFactory, each);
  } finally {
    await internet.close();
  }
  print(bootText(boots, stack));
  answer(
    boots.map(({ profile, schematic, iso, isSecureBoot, machines }) => ({
      profile,
      schematic,
      iso,
      isSecureBoot,
      machines,
    })),
  );
  return 0;
};
