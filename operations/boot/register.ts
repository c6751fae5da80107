import { schematicDocument } from "../../components/talos/schematic.ts";
import { Problem } from "../../toolchain/problem.ts";
import { firstLine } from "../doctor/finding.ts";
import type { Internet } from "../doctor/internet.ts";
import type { FirstBoot } from "./images.ts";

/**
 * Registers a profile, without which the Image Factory answers 404 for its ISO. To register it again changes nothing.
 *
 * Source: siderolabs/image-factory v1.5.0, internal/frontend/http/schematic.go.
 *
 * @param factory URL of the Image Factory
 * @throws Problem if the factory does not answer, refuses, or gives the profile another ID
 */
export const register = async (
  internet: Pick<Internet, "ask">,
  factory: string,
  { profile, document, schematic }: FirstBoot,
): Promise<void> => {
  const url = new URL("/schematics", factory).href;
  const { status, text } = await internet
    .ask(url, { method: "POST", body: schematicDocument(document) })
    .catch((error: unknown) => {
      throw new Problem(
        `hearth:imageFactory ${factory} does not answer: ${firstLine(error)}. It builds the ISO, so look at the network and run this again`,
      );
    });
  if (status !== 201 && status !== 200)
    throw new Problem(
      `hearth:images.${profile}: the Image Factory refuses it with ${status.toString()}: ${text.trim()}`,
    );
  const { id } = JSON.parse(text) as { id?: string };
  if (id !== schematic)
    throw new Problem(
      `hearth:images.${profile}: the Image Factory at ${factory} calls it ${String(id)}, and Hearth computed ${schematic}. ` +
        "Use a release of Hearth that knows this factory",
    );
};
