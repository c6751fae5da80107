/**
 * The parts of an installer's reference.
 *
 * Source of the form: siderolabs/image-factory, `<host>/<installer>/<schematic>:<version>`.
 */
export const partsOfImage = (image: string): { installer: string; schematic: string; version: string } => {
  const [, installer = "", schematic = "", version = ""] = /([^/]+)\/([^/:]+):([^:]+)$/.exec(image) ?? [];
  return { installer, schematic, version };
};

/**
 * Why a machine does not change to another installer; undefined if it may.
 *
 * A machine that was installed without SecureBoot does not get it by an upgrade, nor by a reset: keys are enrolled from the ISO that boots first.
 *
 * @param name name of the machine
 * @param before the installer that it was installed by; undefined if it is new
 */
export const secureBootProblem = (name: string, before: string | undefined, after: string): string | undefined => {
  if (before === undefined) return undefined;
  const isSecure = (image: string): boolean => partsOfImage(image).installer.endsWith("-secureboot");
  if (isSecure(before) === isSecure(after)) return undefined;
  return (
    `${name}: SecureBoot is turned ${isSecure(after) ? "on" : "off"} at the machine only, and by no upgrade: remove ${name} from the stack file and deploy, ` +
    "then boot it anew from its ISO (docs/guides/changing-a-cluster.md, SecureBoot), and add it again"
  );
};
