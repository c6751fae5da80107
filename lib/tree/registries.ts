import { setTimeout as sleep } from "node:timers/promises";

import { Refused, Registry } from "../../toolchain/vendors/registry.ts";
import { reasonOf, type Web } from "../../toolchain/vendors/web.ts";

/** What the registry of an image says of it. */
export interface Said {
  /** Of what the image's name refers to now, `sha256:…`. */
  digest?: string;
  /** Why that is not known. */
  reason?: string;
  /** Whether the registry has no such image. */
  isMissing?: true;
}

/**
 * Asks registries for images, anonymously: each registry for one after the other, and no more once it does not answer.
 *
 * @param pause before a registry that does not answer is asked again, once, in milliseconds
 */
export const askRegistries = async (web: Web, images: readonly string[], pause = 2_000): Promise<Map<string, Said>> => {
  const said = new Map<string, Said>();
  await Promise.all(
    [...new Set(images.map(registryOf))].map(async (registry) => {
      let silence: Answer | undefined;
      for (const image of images.filter((each) => registryOf(each) === registry)) {
        const { isSilent = false, ...answer } = silence ?? (await askTwice(web, image, pause));
        if (isSilent) silence = answer;
        said.set(image, answer);
      }
    }),
  );
  return said;
};

/** The registry of an image, as its name has it. */
export const registryOf = (image: string): string => image.split("/")[0] ?? "";

/** What it says, and whether it is asked in vain for anything. */
type Answer = Said & { isSilent?: true };

const askTwice = async (web: Web, image: string, pause: number): Promise<Answer> => {
  const first = await ask(web, image);
  if (first.isSilent !== true) return first;
  await sleep(pause);
  return ask(web, image);
};

const ask = async (web: Web, image: string): Promise<Answer> => {
  try {
    return { digest: `sha256:${await new Registry(web, image).digest()}` };
  } catch (error) {
    const reason = reasonOf(error);
    if (!(error instanceof Refused)) return { reason, isSilent: true };
    if (error.status === 404) return { reason, isMissing: true };
    const isBusy = error.status === 429 || error.status >= 500;
    return { reason, ...(isBusy && { isSilent: true }) };
  }
};
