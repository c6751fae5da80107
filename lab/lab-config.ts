/** The simulators' configuration. lab/internal/labconfig reads it and documents each field. */
export interface LabConfig {
  stack: string;
  dir: string;
  repository: string;
  programs: Record<string, string>;
  data: Record<string, string>;
  supervisor: { address: string };
  internet: { proxy: string; registry: string; registries: string[]; charts: LabChart[] };
  proxmox: {
    address: string;
    token: string;
    /** Password of root@pam. */
    password?: string;
    /** The token's privileges on every path; all if there are none. */
    privileges?: string[];
    nodes: string[];
    datastores: Record<string, string[]>;
    bridges: string[];
    cpus: number;
    memoryMiB: number;
  };
  cloudflare: {
    address: string;
    token: string;
    permissions: string[];
    account: string;
    zones: Record<string, string>;
  };
  git: { address: string; branch: string };
  /** Absent if the lab's volumes hold no data. */
  bucket?: Bucket;
  metal: Machine[];
}

/** The S3 service that volumes are backed up to. */
export interface Bucket {
  address: string;
  /** Its public name. */
  host: string;
  name: string;
  accessKey: string;
  secretKey: string;
  region: string;
}

/** Hardware that exists before any configuration reaches it. */
export interface Machine {
  name: string;
  address: string;
  /** Where the network's DHCP server has put the machine, until its configuration sets `address`. */
  lease?: string;
  mac: string;
  uuid: string;
  platform: "nocloud" | "metal";
  cores: number;
  memoryMiB: number;
  disks: { device: string; sizeGiB: number; transport: string; model: string; serial: string }[];
  secureBoot: boolean;
  tpm: boolean;
  image: { version: string; schematic: string };
}

/** A chart that the lab's registry serves, and the public location that it stands for. */
export interface LabChart {
  /** Public name of a registry. */
  host: string;
  /** Path below the host. */
  repository: string;
  /** Whether the host serves an index of charts at this path, as Helm repositories did before OCI. */
  isIndex: boolean;
  folder: string;
  version: string;
  /** Further folders by their path in the chart. */
  with: Record<string, string>;
}
