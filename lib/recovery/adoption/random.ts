import { resourceTypes } from "../../../components/resource-types.ts";
import type { Adopter, Adopters } from "./adopter.ts";
import type { Roots } from "../../secrets/roots.ts";

/**
 * A password of the escrow, as the plugin's own import makes it.
 *
 * An import knows nothing of how it was drawn, so that is what the program says.
 */
const password =
  (roots: Roots | undefined): Adopter =>
  async ({ name, inputs, read }) => {
    const value = roots?.passwords[name];
    if (value === undefined) return undefined;
    const found = await read(value);
    return found && { id: "none", properties: { ...found.properties, ...inputs } };
  };

/** How drawn passwords are found. */
export const randomAdopters = (roots: Roots | undefined): Adopters => ({
  [resourceTypes.password]: password(roots),
});
