import { publicFactory } from "../../components/talos/schematic.ts";
import type { FirstBoot } from "./images.ts";

/** How the public factory serves machines that boot over the network. Source: siderolabs/talos, the guide to PXE. */
const publicPxe = "https://pxe.factory.talos.dev";

/** What a person does to boot machines for the first time. */
export const bootText = (boots: readonly FirstBoot[], stack: string): string =>
  [
    ...boots.flatMap((boot, index) => [...(index > 0 ? [""] : []), ...oneBoot(boot)]),
    "",
    "A machine that has booted waits in maintenance mode, and changes nothing on its disks. What comes next:",
    `  npx hearth doctor ${stack}`,
    `  npx hearth deploy ${stack}`,
  ].join("\n");

const oneBoot = ({ profile, iso, isSecureBoot, machines, schematic }: FirstBoot): string[] => {
  const file = iso.split("/").at(-1) ?? "";
  const width = Math.max(...machines.map(({ name }) => name.length));
  return [
    `${machines.map(({ name }) => name).join(", ")}, profile ${profile}${isSecureBoot ? ", SecureBoot" : ""}:`,
    `  ${iso}`,
    `  Stick: sudo dd if=${file} of=/dev/sdX bs=4M conv=fsync status=progress   (overwrites /dev/sdX)`,
    ...networkLine(iso, schematic),
    ...(isSecureBoot ? secureBootLines : []),
    "  Let the network's DHCP server reserve these addresses, for the ISO asks it for one:",
    ...machines.map(
      ({ name, mac, address, isReserved }) =>
        `    ${name.padEnd(width)}  ${mac}  ${address}${isReserved ? "  (for ever: the node has dhcp: true)" : ""}`,
    ),
  ];
};

const networkLine = (iso: string, schematic: string): string[] => {
  if (!iso.startsWith(`${publicFactory}/`)) return [];
  const asset = iso.slice(`${publicFactory}/image/`.length).replace(/\.iso$/, "");
  return asset.startsWith(schematic) ? [`  Network: chain ${publicPxe}/pxe/${asset}   (iPXE)`] : [];
};

/** Source: siderolabs/talos v1.13.9, pkg/imager/iso/loader.conf.tmpl: `secure-boot-enroll` is `if-safe`, which is for virtual machines only. */
const secureBootLines = [
  "  SecureBoot: put the firmware into setup mode (it deletes the keys that it has), boot the stick, and choose",
  '  "Enroll Secure Boot keys: auto" in its menu. It boots again by itself. npx hearth doctor says whether it is on.',
];
