import { z } from "zod";

/** Characters that a name in Kubernetes may have. */
const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "is not a name of lower-case letters, digits and hyphens");
const address = z.ipv4("is not an IPv4 address, such as 10.20.0.11").brand<"Address">();
const cidr = z.cidrv4("is not an IPv4 range, such as 10.20.0.0/24").brand<"Cidr">();
const mac = z
  .string()
  .regex(/^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$/, "is not a MAC address, such as BC:24:11:20:00:11")
  .transform((value) => value.toUpperCase())
  .brand<"MacAddress">();
const release = z.string().regex(/^v\d+\.\d+\.\d+$/, "is not a release, such as v1.13.9");
const hex32 = z.string().regex(/^[0-9a-f]{32}$/, "is not one of Cloudflare's identifiers, 32 hexadecimal digits");

const cluster = z.strictObject({
  name,
  /** URL of the Kubernetes API that nodes and people use. */
  endpoint: z.url({ protocol: /^https$/, error: "is not a URL such as https://10.20.0.10:6443" }),
  /** Address that the control planes share. */
  vip: address.optional(),
  talos: release,
  kubernetes: release,
  /** Talos minor that the cluster was created with; it never goes down. */
  contract: z.string().regex(/^v\d+\.\d+$/, "is not a Talos minor, such as v1.13"),
  podCidr: cidr,
  serviceCidr: cidr,
  /** @default true when there are no workers */
  scheduleOnControlPlanes: z.boolean().optional(),
});

const network = z.strictObject({
  subnet: cidr,
  gateway: address,
  nameservers: z.array(address).min(1, "needs at least one"),
  timeServers: z.array(z.string()).min(1, "needs at least one"),
  /** Range that Cilium gives to Services of type LoadBalancer. */
  loadBalancers: cidr,
});

/** An Image Factory profile. */
const image = z.strictObject({
  extensions: z
    .array(z.string().regex(/^[\w-]+\/[\w.-]+$/, "is not an extension, such as siderolabs/qemu-guest-agent"))
    .default([]),
  kernelArguments: z.array(z.string()).default([]),
});

const node = z.strictObject({
  role: z.enum(["controlplane", "worker"]),
  /** Name of an image profile under `images`. */
  image: z.string(),
  address,
  mac,
  /** Path of the disk that Talos is installed to. */
  installDisk: z.string().startsWith("/dev/", "is not a device, such as /dev/sda"),
  labels: z.record(z.string(), z.string()).default({}),
  /** The virtual machine; a node without it is bare metal. */
  proxmox: z
    .strictObject({
      host: z.string(),
      vmId: z.int().min(100, "is below 100, which Proxmox keeps for itself").max(999_999_999),
      cores: z.int().positive(),
      /** MiB */
      memory: z.int().min(2048, "is less than the 2048 MiB that Talos needs"),
      /** GiB */
      disk: z.int().min(10, "is less than the 10 GiB that Talos needs"),
    })
    .optional(),
});

const proxmox = z.strictObject({
  endpoint: z.url({ protocol: /^https$/, error: "is not a URL such as https://10.20.0.5:8006" }),
  /** Datastore for boot images; it has the content type `import`. */
  imageDatastore: z.string(),
  diskDatastore: z.string(),
  bridge: z.string(),
  /** Accept a certificate that no known authority signed. @default false */
  insecure: z.boolean().default(false),
});

const cloudflare = z.strictObject({
  account: hex32,
  zone: z.strictObject({ id: hex32, name: z.string() }),
  /** What the tunnel answers for. Each hostname also gets a proxied record. */
  ingress: z.array(z.strictObject({ hostname: z.string(), service: z.string() })),
});

const gitops = z.strictObject({
  repository: z.url({ protocol: /^ssh$/, error: "is not a URL such as ssh://git@github.com/you/hearth.git" }),
  branch: z.string(),
  path: z.string(),
  /** Lines of known_hosts for the repository's server. */
  knownHosts: z.string(),
  flux: release,
});

const schema = z
  .strictObject({
    cluster,
    network,
    images: z.record(z.string(), image),
    nodes: z.record(name, node),
    proxmox: proxmox.optional(),
    cloudflare: cloudflare.optional(),
    gitops,
  })
  .superRefine((config, context) => {
    for (const problem of crossProblems(config)) context.addIssue({ code: "custom", ...problem });
  });

interface CrossProblem {
  path: string[];
  message: string;
}

/** What one stack's configuration says, validated. */
export type HearthConfig = z.output<typeof schema>;
export type NodeConfig = z.output<typeof node>;

/** Keys of the stack file that hold objects without secrets. */
export const configKeys = ["cluster", "network", "images", "nodes", "proxmox", "cloudflare", "gitops"] as const;

/** Thrown for a person's mistake in the stack file: all problems at once, a line each. */
export class ConfigurationError extends Error {
  constructor(stack: string, problems: string[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(`Pulumi.${stack}.yaml has ${count}:\n\n${problems.map((problem) => `  ${problem}`).join("\n")}\n`);
    this.name = "ConfigurationError";
  }
}

/**
 * Parses what a stack file says.
 *
 * @throws ConfigurationError naming every problem with its path.
 */
export const parseConfig = (stack: string, raw: unknown): HearthConfig => {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new ConfigurationError(
    stack,
    parsed.error.issues.map((issue) => `${issue.path.join(".")}   ${issue.message}`),
  );
};

const crossProblems = (config: {
  cluster: { vip?: string | undefined };
  images: Record<string, unknown>;
  nodes: Record<string, NodeConfig>;
  proxmox?: unknown;
}): CrossProblem[] => {
  const nodes = Object.entries(config.nodes);
  const controlPlanes = nodes.filter(([, node]) => node.role === "controlplane").length;
  return [
    ...(controlPlanes % 2 === 1
      ? []
      : [
          {
            path: ["nodes"],
            message: `${controlPlanes} control planes cannot keep a quorum; have 1, 3 or 5 with role: controlplane`,
          },
        ]),
    ...nodes
      .filter(([, node]) => !(node.image in config.images))
      .map(([name, node]) => ({
        path: ["nodes", name, "image"],
        message: `${node.image} is not a profile under images`,
      })),
    ...nodes
      .filter(([, node]) => node.proxmox && !config.proxmox)
      .map(([name]) => ({
        path: ["nodes", name, "proxmox"],
        message: "needs the key proxmox with the API's endpoint",
      })),
    ...collisions("address", nodes, (node) => node.address),
    ...collisions("mac", nodes, (node) => node.mac),
    ...collisions("proxmox.vmId", nodes, (node) => node.proxmox?.vmId),
  ];
};

const collisions = (
  field: string,
  nodes: [string, NodeConfig][],
  pick: (node: NodeConfig) => string | number | undefined,
): CrossProblem[] =>
  nodes.flatMap(([name, node], index) => {
    const value = pick(node);
    const earlier = nodes.slice(0, index).find(([, other]) => value !== undefined && pick(other) === value);
    return earlier
      ? [
          {
            path: ["nodes", name, ...field.split(".")],
            message: `${value} is also that of ${earlier[0]}; give one of them another`,
          },
        ]
      : [];
  });
