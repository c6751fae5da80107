import { isIPv4 } from "node:net";

import type { Call } from "../../lib/terminal/command.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { Internet } from "../doctor/internet.ts";
import { firstBoots } from "./images.ts";
import { move } from "./move.ts";
import { register } from "./register.ts";
import { bootText, movedText } from "./text.ts";
import { waitingMachines } from "./waiting.ts";

interface Values {
  static?: boolean | undefined;
  at?: string | undefined;
}

/**
 * Says what machines of metal have to boot, after it has made sure that the Image Factory has it. With `--at`, it moves a machine that
 * has booted to its node's address.
 */
export const boot = async (call: Call<Values>): Promise<number> => {
  const { print, answer, args, stack, values } = call;
  const target = await call.open();
  const config = await target.config();
  if (values.at !== undefined) {
    const name = nodeAt(values, args[0]);
    const { talosctl = "talosctl" } = await new Toolchain({ root: target.root }).ensure(["talosctl"]);
    await move(config, { stack, name, at: values.at }, waitingMachines(talosctl));
    const address = config.nodes[name]?.address ?? "";
    print(movedText({ stack, name, address }));
    answer({ name, from: values.at, address });
    return 0;
  }
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

/** @throws Problem if the machine that is to be moved is not said in full */
const nodeAt = ({ at = "", static: isStatic }: Values, name: string | undefined): string => {
  if (!isIPv4(at))
    throw new Problem(`--at ${at} is not an IPv4 address: write the one that the machine's screen shows`);
  if (isStatic)
    throw new Problem("--static makes an image, and --at moves a machine that has booted: give one of them");
  if (name === undefined) throw new Problem(`--at ${at} is the address of one machine: name its node before it`);
  return name;
};
