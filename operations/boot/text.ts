import type { FirstBoot } from "./images.ts";

/** What a person does to boot machines for the first time. */
export const bootText = (boots: readonly FirstBoot[], stack: string): string =>
  [
    ...boots.flatMap((boot, index) => [...(index > 0 ? [""] : []), ...oneBoot(boot)]),
    "",
    "A machine that has booted waits in maintenance mode, and changes nothing on its disks. Where one got another address, move it:",
    `  npx hearth boot ${stack} NODE --at ADDRESS`,
    ...nextLines(stack),
  ].join("\n");

/** What a person does after a machine was moved to its node's address. */
export const movedText = ({ stack, name, address }: { stack: string; name: string; address: string }): string =>
  [
    `${name} waits at ${address}. It keeps that address until it restarts: if it does before it is deployed, run this again.`,
    ...nextLines(stack),
  ].join("\n");

const nextLines = (stack: string): string[] => [
  "What comes next:",
  `  npx hearth doctor ${stack}`,
  `  npx hearth deploy ${stack}`,
];

const oneBoot = ({ profile, iso, pxe, isSecureBoot, isStatic, machines }: FirstBoot): string[] => {
  const file = iso.split("/").at(-1) ?? "";
  const width = Math.max(...machines.map(({ name }) => name.length));
  return [
    `${machines.map(({ name }) => name).join(", ")}, profile ${profile}${isSecureBoot ? ", SecureBoot" : ""}:`,
    `  ${iso}`,
    `  Stick: sudo dd if=${file} of=/dev/sdX bs=4M conv=fsync status=progress   (overwrites /dev/sdX)`,
    ...(pxe === undefined ? [] : [`  Network: chain ${pxe}   (iPXE)`]),
    ...(isSecureBoot ? secureBootLines : []),
    isStatic
      ? "  It has the machine's address, and needs no DHCP:"
      : "  Let the network's DHCP server reserve these addresses, for the ISO asks it for one (--static makes one that does not):",
    ...machines.map(
      ({ name, mac, address, isReserved }) =>
        `    ${name.padEnd(width)}  ${mac}  ${address}${isReserved ? "  (for ever: the node has dhcp: true)" : ""}`,
    ),
  ];
};

/**
 * On metal a person enrols the keys: `secure-boot-enroll` is `if-safe`, which is for virtual machines.
 *
 * Source: siderolabs/talos v1.13.9, pkg/imager/iso/loader.conf.tmpl; the menu's entry is in the guide to SecureBoot of Talos 1.13.
 */
const secureBootLines = [
  "  SecureBoot: put the firmware into setup mode (it deletes the keys that it has), boot the stick, and choose",
  '  "Enroll Secure Boot keys: auto" in its menu. It boots again by itself. npx hearth doctor says whether it is on.',
];
