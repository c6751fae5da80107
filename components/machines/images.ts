import { diskImageUrl, type BootImage } from "../talos/schematic.ts";
import type { ProxmoxDefaults, ProxmoxMachine } from "./vm.ts";

/** A boot image on a Proxmox host. */
export interface HostImage {
  /** Name of the image's resource. */
  name: string;
  host: string;
  datastore: string;
  fileName: string;
  url: string;
}

export interface ImagePlace extends Pick<ProxmoxDefaults, "imageDatastore"> {
  /** Talos release of the boot images. */
  talos: string;
  /** Datastores that all hosts share. An image is downloaded to them once. */
  sharedDatastores: string[];
}

/**
 * Returns the image that a machine boots first.
 *
 * The file name contains the release and the schematic, so another image is another file and never overwrites the one in use.
 */
export const hostImage = (
  machine: ProxmoxMachine,
  { talos, imageDatastore, sharedDatastores }: ImagePlace,
): HostImage => {
  const datastore = machine.imageDatastore ?? imageDatastore;
  const image: BootImage = { ...machine.facts, platform: "nocloud" };
  const architecture = image.architecture === "arm64" ? "-arm64" : "";
  const kind = `${talos}-${image.schematic.slice(0, 12)}${architecture}${image.secureBoot ? "-secureboot" : ""}`;
  const location = sharedDatastores.includes(datastore) ? datastore : `${machine.host}-${datastore}`;
  return {
    name: `talos-${location}-${kind}`,
    host: machine.host,
    datastore,
    fileName: `talos-${kind}.qcow2`,
    url: diskImageUrl(image, talos),
  };
};

/** The images that a set of machines boots, each once per datastore. */
export const hostImages = (machines: ProxmoxMachine[], location: ImagePlace): HostImage[] => [
  ...new Map(machines.map((machine) => hostImage(machine, location)).map((image) => [image.name, image])).values(),
];
