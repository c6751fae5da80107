import * as pulumi from "@pulumi/pulumi";
import * as talos from "@pulumi/talos";

import { schematicDocument, schematicId, type ImageProfile } from "./schematic.ts";

export interface ImageProfilesArgs {
  /** URL of the Image Factory, without a path. */
  factory: string;
  /** Profiles by name. */
  profiles: Record<string, ImageProfile>;
}

/**
 * Registers image profiles with the Image Factory.
 *
 * A factory serves images of registered schematics only. It answers 404 for an ID that was computed here but never posted, for
 * disk images and installers alike. Source: siderolabs/image-factory 1.5.0, internal/frontend/http/http.go.
 */
export class ImageProfiles extends pulumi.ComponentResource {
  /** Resources that have to exist before an image of a profile is downloaded. */
  readonly registered: pulumi.Input<pulumi.Resource>[];

  constructor(name: string, { factory, profiles }: ImageProfilesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:talos:ImageProfiles", name, {}, opts);
    // Profiles with the same content are one schematic.
    const named = new Map(Object.entries(profiles).map((entry) => [schematicId(entry[1]), entry]));
    this.registered = [...named].map(([id, [profileName, profile]]) => {
      // The plugin cannot update the ID of a schematic, so a changed schematic is a new resource.
      const schematic = new talos.imageFactory.Schematic(
        `${profileName}-${id.slice(0, 12)}`,
        { schematic: schematicDocument(profile) },
        { parent: this },
      );
      if (pulumi.runtime.isDryRun()) return schematic;
      return schematic.id.apply(async (given) => {
        await expectId(factory, profileName, profile, given);
        return schematic;
      });
    });
    this.registerOutputs({});
  }
}

/**
 * Verifies that the factory's ID of a profile is the one that Hearth computed.
 *
 * @param given the factory's ID
 * @throws RunError with both documents if they differ
 */
export const expectId = async (factory: string, name: string, profile: ImageProfile, given: string): Promise<void> => {
  const computed = schematicId(profile);
  if (given === computed) return;
  throw new pulumi.RunError(
    [
      `hearth:images.${name}: the Image Factory at ${factory} calls it ${given}, and Hearth computed ${computed}.`,
      "Machines would boot what another profile describes: use a release of Hearth that knows this factory.",
      `Hearth's document:\n${schematicDocument(profile).trimEnd()}`,
      `The factory's document:\n${await documentOf(factory, given)}`,
    ].join("\n\n"),
  );
};

const documentOf = async (factory: string, id: string): Promise<string> => {
  const url = new URL(`/schematics/${id}`, factory).href;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    return response.ok ? (await response.text()).trimEnd() : `${url} answers ${response.status}`;
  } catch {
    return `${url} does not answer`;
  }
};
