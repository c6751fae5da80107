import { diskImageUrl, type BootImage } from "../talos/schematic.ts";
import type { ProxmoxDefaults, ProxmoxMachine } from "./vm.ts";

/** A boot image that a Proxmox host has to have. */
export interface HostImage {
  /** Name of its resource. */
  name: string;
  host: string;
  datastore: string;
  fileName: string;
  url: string;
}

export interface ImagePlace extends Pick<ProxmoxDefaults, "imageDatastore"> {
  /** Talos release of the boot images. */
  talos: string;
  /** Datastores that all hosts see: an image is downloaded to them once. */
  sharedDatastores: string[];
}

/**
 * The image that a machine boots first.
 *
 * Its name has the release and the schematic, so that another image is another file and the one in use stays what it is.
 */
export const hostImage = (
  machine: ProxmoxMachine,
  { talos, imageDatastore, sharedDatastores }: ImagePlace,
): HostImage => {
  const datastore = machine.imageDatastore ?? imageDatastore;
  const image: BootImage = { ...machine.facts, platform: "nocloud" };
  const kind = `${talos}-${image.schematic.slice(0, 12)}${image.secureBoot ? "-secureboot" : ""}`;
  const place = sharedDatastores.includes(datastore) ? datastore : `${machine.host}-${datastore}`;
  return {
    name: `talos-${place}-${kind}`,
    host: machine.host,
    datastore,
    fileName: `talos-${kind}.qcow2`,
    url: diskImageUrl(image, talos),
  };
};

/** The images that machines boot, each once a place. */
export const hostImages = (machines: ProxmoxMachine[], place: ImagePlace): HostImage[] => [
  ...new Map(machines.map((machine) => hostImage(machine, place)).map((image) => [image.name, image])).values(),
];
