/** What `npm run lab` tells the simulators; lab/internal/labconfig reads it and says what each part means. */
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
  /** Absent where the lab's volumes hold nothing. */
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

/** A chart that the registry holds, and where the world gets it. */
export interface LabChart {
  /** Public name of a registry. */
  host: string;
  /** Path below it. */
  repository: string;
  /** Whether the host has an index of charts there, as repositories had before there were OCI registries. */
  isIndex: boolean;
  folder: string;
  version: string;
  /** Further folders by their path in the chart. */
  with: Record<string, string>;
}
