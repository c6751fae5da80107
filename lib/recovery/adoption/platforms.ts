import { platforms as all } from "../../../infra/platforms/index.ts";
import type { ResourceFacts } from "../../../infra/platforms/platform.ts";
import { Problem } from "../../../toolchain/problem.ts";
import { refresh, type Adopter, type Adopters } from "./adopter.ts";
import { text } from "./properties.ts";

/** Finds a resource by its platform's identity. @throws Problem if somebody else's resource has its identifier */
const adopterOf =
  ({ identifier, recognizedBy }: ResourceFacts): Adopter =>
  async (creation) => {
    const { inputs } = creation;
    const id = identifier((key) => text(inputs, key));
    const found = await refresh(creation, id);
    if (found === undefined || recognizedBy === undefined) return found;
    const [is, wanted] = [text(found.properties, recognizedBy.property), text(inputs, recognizedBy.property)];
    if (is === wanted) return found;
    throw new Problem(recognizedBy.refuse({ id, is, wanted }));
  };

/** How the resources of platforms are found, by the plugin that makes them. */
export const platformAdopters = (platforms = all): Record<string, Adopters> => {
  const plugins: Record<string, Adopters> = {};
  for (const [type, facts] of platforms.flatMap(({ resources }) => Object.entries(resources))) {
    const plugin = type.split(":")[0] ?? type;
    plugins[plugin] = { ...plugins[plugin], [type]: adopterOf(facts) };
  }
  return plugins;
};
