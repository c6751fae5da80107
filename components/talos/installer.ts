/**
 * The parts of an installer's reference.
 *
 * Source of the form: siderolabs/image-factory, `<host>/<installer>/<schematic>:<version>`.
 */
export const partsOfImage = (image: string): { installer: string; schematic: string; version: string } => {
  const [, installer = "", schematic = "", version = ""] = /([^/]+)\/([^/:]+):([^:]+)$/.exec(image) ?? [];
  return { installer, schematic, version };
};
