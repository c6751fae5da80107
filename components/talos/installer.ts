/**
 * The parts of an installer's reference.
 *
 * Source of the form: siderolabs/image-factory, `<host>/<installer>/<schematic>:<version>`.
 */
export const partsOfImage = (image: string): { installer: string; schematic: string; version: string } => {
  const [, installer = "", schematic = "", version = ""] = /([^/]+)\/([^/:]+):([^:]+)$/.exec(image) ?? [];
  return { installer, schematic, version };
};

/** Whether an installer is that of machines with SecureBoot. */
export const isSecureBoot = (image: string): boolean => partsOfImage(image).installer.endsWith("-secureboot");

/** Whether an installer is that of machines of metal, which a person boots. */
export const isOfMetal = (image: string): boolean => partsOfImage(image).installer.startsWith("metal-");

/**
 * Whether SecureBoot changes between two installers. No upgrade does that: keys are enrolled from an ISO, which boots only where nothing is
 * installed.
 *
 * @param before the installer that the machine was installed by; undefined if it is new
 */
export const changesSecureBoot = (before: string | undefined, after: string): boolean =>
  before !== undefined && isSecureBoot(before) !== isSecureBoot(after);

/** What is said where SecureBoot of a machine that exists cannot change. */
export const secureBootProblem = (name: string, after: string, advice: string): string =>
  `${name}: SecureBoot is turned ${isSecureBoot(after) ? "on" : "off"} at the machine only, after it was wiped, and by no update: ${advice}`;
