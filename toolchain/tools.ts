/** How a program that is already on PATH says its version, and which versions will do. */
export interface OnPath {
  /** Arguments that make it print its version. */
  ask: string[];
  /** The accepted range, given the pinned version without its `v`. */
  accepts: (pinned: string) => string;
}

/** A program that the lab or a test runs. */
export interface Tool {
  /** The program's file name. */
  name: string;
  /** Folder of the Go module that pins and builds it, from the repository's root. */
  folder: string;
  /** The Go package to build. */
  package: string;
  /** The required module whose version is the tool's. Absent for Hearth's own programs, which have no version. */
  versionOf?: string;
  /** Linker flags beside `-s -w`, given the pinned version with its `v`. */
  linker?: (version: string) => string[];
  /** Files that `go generate .` has to write before the build. */
  generates?: string[];
  /** A module that is built from a copy, with the files given added to it, because its release lacks them. */
  patched?: { module: string; files: Record<string, string> };
  /** Absent where the program on PATH cannot be used or cannot say its version. */
  onPath?: OnPath;
  /** Name of the program beside which this one is taken when that one comes from PATH: they ship together. */
  shipsWith?: string;
  /** The npm package whose vendor plugin is preferred to a build, where it is installed. */
  vendorPlugin?: string;
  /** Most memory that its build takes, in GiB. An estimate. */
  memoryGiB: number;
}

const sameMinor = (pinned: string): string => `~${pinned}`;
const sameMajor = (pinned: string): string => `^${pinned}`;

const setVariable = (name: string, value: string): string => `-X ${name}=${value}`;

const kubernetes = (name: string, onPath: OnPath, memoryGiB: number): Tool => ({
  name,
  folder: "toolchain/kubernetes",
  package: `k8s.io/kubernetes/cmd/${name}`,
  versionOf: "k8s.io/kubernetes",
  linker: (version) => {
    const [major = "", minor = ""] = version.slice(1).split(".");
    return [
      setVariable("k8s.io/component-base/version.gitVersion", version),
      setVariable("k8s.io/component-base/version.gitMajor", major),
      setVariable("k8s.io/component-base/version.gitMinor", minor),
    ];
  },
  onPath,
  memoryGiB,
});

const fluxController = (name: string): Tool => ({
  name,
  folder: `toolchain/${name}`,
  package: `github.com/fluxcd/${name}`,
  versionOf: `github.com/fluxcd/${name}`,
  memoryGiB: 3,
});

const plugin = (name: string, versionOf: string, generates: string[], memoryGiB: number): Tool => ({
  name: `pulumi-resource-${name}`,
  folder: `toolchain/pulumi-resource-${name}`,
  package: ".",
  versionOf,
  generates,
  vendorPlugin: `@pulumi/${name}`,
  memoryGiB,
});

const standIn = (name: string): Tool => ({
  name: `pulumi-resource-${name}`,
  folder: "lab/plugins",
  package: `./cmd/pulumi-resource-${name}`,
  vendorPlugin: `@pulumi/${name}`,
  memoryGiB: 2,
});

/** Every program, the longest builds first. */
export const tools: readonly Tool[] = [
  plugin("kubernetes", "github.com/pulumi/pulumi-kubernetes/provider/v4", ["schema.json", "terraform-mapping.json"], 6),
  kubernetes("kube-apiserver", { ask: ["--version"], accepts: sameMinor }, 4),
  kubernetes("kube-controller-manager", { ask: ["--version"], accepts: sameMinor }, 4),
  kubernetes("kube-scheduler", { ask: ["--version"], accepts: sameMinor }, 3),
  {
    name: "pulumi",
    folder: "toolchain/pulumi",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    versionOf: "github.com/pulumi/pulumi/pkg/v3",
    linker: (version) => [setVariable("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version", version)],
    onPath: { ask: ["version"], accepts: sameMajor },
    memoryGiB: 4,
  },
  plugin("talos", "github.com/siderolabs/terraform-provider-talos", ["schema.json"], 4),
  fluxController("source-controller"),
  fluxController("kustomize-controller"),
  fluxController("helm-controller"),
  fluxController("notification-controller"),
  {
    name: "flux-operator",
    folder: "toolchain/flux-operator",
    package: "github.com/controlplaneio-fluxcd/flux-operator/cmd/operator",
    versionOf: "github.com/controlplaneio-fluxcd/flux-operator",
    linker: (version) => [setVariable("main.VERSION", version)],
    patched: {
      module: "github.com/controlplaneio-fluxcd/flux-operator",
      files: { "web/dist/index.html": "<!doctype html><title>Flux Operator</title>\n" },
    },
    memoryGiB: 3,
  },
  plugin("proxmoxve", "github.com/bpg/terraform-provider-proxmox", ["schema.json", "bridge-metadata.json"], 3),
  {
    name: "kwok",
    folder: "toolchain/kwok",
    package: "sigs.k8s.io/kwok/cmd/kwok",
    versionOf: "sigs.k8s.io/kwok",
    onPath: { ask: ["--version"], accepts: sameMinor },
    memoryGiB: 3,
  },
  {
    name: "etcd",
    folder: "toolchain/etcd",
    package: "go.etcd.io/etcd/server/v3",
    versionOf: "go.etcd.io/etcd/server/v3",
    onPath: { ask: ["--version"], accepts: sameMinor },
    memoryGiB: 2,
  },
  {
    name: "etcdutl",
    folder: "toolchain/etcdutl",
    package: "go.etcd.io/etcd/etcdutl/v3",
    versionOf: "go.etcd.io/etcd/etcdutl/v3",
    onPath: { ask: ["version"], accepts: sameMinor },
    memoryGiB: 2,
  },
  {
    name: "pulumi-language-nodejs",
    folder: "toolchain/pulumi-language-nodejs",
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    versionOf: "github.com/pulumi/pulumi/sdk/v3",
    shipsWith: "pulumi",
    memoryGiB: 2,
  },
  { name: "hearth-lab", folder: "lab", package: "./cmd/hearth-lab", memoryGiB: 3 },
  { name: "hearth-tree", folder: "toolchain/tree", package: ".", memoryGiB: 3 },
  standIn("random"),
  standIn("cloudflare"),
  {
    name: "talosctl",
    folder: "toolchain/talosctl",
    package: "github.com/siderolabs/talos/cmd/talosctl",
    versionOf: "github.com/siderolabs/talos",
    onPath: { ask: ["version", "--client", "--short"], accepts: sameMajor },
    memoryGiB: 4,
  },
  kubernetes("kubectl", { ask: ["version", "--client"], accepts: () => ">=1.30.0" }, 3),
  {
    name: "age",
    folder: "toolchain/age",
    package: "filippo.io/age/cmd/age",
    versionOf: "filippo.io/age",
    linker: (version) => [setVariable("main.Version", version)],
    onPath: { ask: ["--version"], accepts: sameMajor },
    memoryGiB: 1,
  },
  {
    name: "restic",
    folder: "toolchain/restic",
    package: "github.com/restic/restic/cmd/restic",
    versionOf: "github.com/restic/restic",
    onPath: { ask: ["version"], accepts: sameMinor },
    memoryGiB: 2,
  },
  {
    name: "volsync",
    folder: "toolchain/volsync",
    package: "github.com/backube/volsync/cmd",
    versionOf: "github.com/backube/volsync",
    memoryGiB: 3,
  },
  {
    name: "rclone",
    folder: "toolchain/rclone",
    package: ".",
    versionOf: "github.com/rclone/rclone",
    memoryGiB: 2,
  },
  {
    name: "sops",
    folder: "toolchain/sops",
    package: "github.com/getsops/sops/v3/cmd/sops",
    versionOf: "github.com/getsops/sops/v3",
    onPath: { ask: ["--version"], accepts: () => ">=3.11.0 <4.0.0" },
    memoryGiB: 3,
  },
  {
    name: "actionlint",
    folder: "toolchain/actionlint",
    package: "github.com/rhysd/actionlint/cmd/actionlint",
    versionOf: "github.com/rhysd/actionlint",
    linker: (version) => [setVariable("github.com/rhysd/actionlint.version", version)],
    memoryGiB: 1,
  },
  {
    // An S3 service for tests: what copies backups is tried against it.
    name: "versitygw",
    folder: "toolchain/versitygw",
    package: "github.com/versity/versitygw/cmd/versitygw",
    versionOf: "github.com/versity/versitygw",
    memoryGiB: 3,
  },
];
