/** How a program on PATH prints its version, and which versions are accepted. */
export interface OnPath {
  /** Arguments that print the version. */
  ask: string[];
  /** Returns the accepted range from the pinned version without its `v`. */
  accepts: (pinned: string) => string;
}

/** A program that the lab or a test runs. */
export interface Tool {
  /** The program's file name. */
  name: string;
  /** Folder of the Go module that pins the tool, relative to the root. It is the root module unless its versions conflict. */
  module: string;
  /** The Go package to build. */
  package: string;
  /** Folder of the tool's source, relative to the module. Only for Hearth's own code. */
  source?: string;
  /** The required module that has the tool's version. Undefined for Hearth's own programs, which have no version. */
  versionOf?: string;
  /** Returns linker flags in addition to `-s -w`, from the pinned version with its `v`. */
  linker?: (version: string) => string[];
  /** Files that the built program writes beside itself, and the arguments for that. */
  writes?: { files: string[]; arguments: string[] };
  /** Undefined if a program on PATH cannot be used or cannot print its version. */
  onPath?: OnPath;
  /** Name of a program that ships together with this one. If that one comes from PATH, so does this one. */
  shipsWith?: string;
  /** The npm package of the vendor's plugin. If it is installed, the plugin is preferred to a build. */
  vendorPlugin?: string;
}

/** The Go module of all programs whose versions are compatible. */
export const rootModule = ".";

const sameMinor = (pinned: string): string => `~${pinned}`;
const sameMajor = (pinned: string): string => `^${pinned}`;

const setVariable = (name: string, value: string): string => `-X ${name}=${value}`;

const kubernetes = (name: string, onPath: OnPath): Tool => ({
  name,
  module: rootModule,
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
});

const fluxController = (name: string): Tool => ({
  name,
  module: rootModule,
  package: `github.com/fluxcd/${name}`,
  versionOf: `github.com/fluxcd/${name}`,
});

const bridged = (name: string, versionOf: string, files: string[]): Tool => ({
  name: `pulumi-resource-${name}`,
  module: rootModule,
  package: `./toolchain/pulumi-resource-${name}`,
  source: `toolchain/pulumi-resource-${name}`,
  versionOf,
  writes: { files, arguments: ["schema", "--out", "."] },
  vendorPlugin: `@pulumi/${name}`,
});

const standIn = (name: string): Tool => ({
  name: `pulumi-resource-${name}`,
  module: rootModule,
  package: `./lab/plugins/cmd/pulumi-resource-${name}`,
  source: "lab/plugins",
  vendorPlugin: `@pulumi/${name}`,
});

/** All programs, in the order in which an update needs them. */
export const tools: readonly Tool[] = [
  {
    name: "pulumi-language-nodejs",
    module: "toolchain/pulumi-language-nodejs",
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    versionOf: "github.com/pulumi/pulumi/sdk/v3",
    shipsWith: "pulumi",
  },
  { name: "hearth-tree", module: rootModule, package: "./toolchain/tree", source: "toolchain/tree" },
  {
    name: "etcd",
    module: rootModule,
    package: "go.etcd.io/etcd/server/v3",
    versionOf: "go.etcd.io/etcd/server/v3",
    onPath: { ask: ["--version"], accepts: sameMinor },
  },
  kubernetes("kube-apiserver", { ask: ["--version"], accepts: sameMinor }),
  { name: "hearth-lab", module: rootModule, package: "./lab/cmd/hearth-lab", source: "lab" },
  {
    name: "pulumi",
    module: rootModule,
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    versionOf: "github.com/pulumi/pulumi/pkg/v3",
    linker: (version) => [setVariable("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version", version)],
    onPath: { ask: ["version"], accepts: sameMajor },
  },
  standIn("random"),
  standIn("cloudflare"),
  bridged("proxmoxve", "github.com/bpg/terraform-provider-proxmox", ["schema.json", "bridge-metadata.json"]),
  bridged("talos", "github.com/siderolabs/terraform-provider-talos", ["schema.json"]),
  {
    name: "pulumi-resource-kubernetes",
    module: rootModule,
    package: "github.com/pulumi/pulumi-kubernetes/provider/v4/cmd/pulumi-resource-kubernetes",
    versionOf: "github.com/pulumi/pulumi-kubernetes/provider/v4",
    // The Go module is pinned to the commit of this release and has no version of its own.
    linker: () => [setVariable("github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version", "4.25.0")],
    vendorPlugin: "@pulumi/kubernetes",
  },
  kubernetes("kube-controller-manager", { ask: ["--version"], accepts: sameMinor }),
  kubernetes("kube-scheduler", { ask: ["--version"], accepts: sameMinor }),
  {
    name: "kwok",
    module: rootModule,
    package: "sigs.k8s.io/kwok/cmd/kwok",
    versionOf: "sigs.k8s.io/kwok",
    onPath: { ask: ["--version"], accepts: sameMinor },
  },
  {
    name: "flux-operator",
    module: rootModule,
    package: "github.com/controlplaneio-fluxcd/flux-operator/cmd/operator",
    versionOf: "github.com/controlplaneio-fluxcd/flux-operator",
    linker: (version) => [setVariable("main.VERSION", version)],
  },
  fluxController("source-controller"),
  fluxController("kustomize-controller"),
  fluxController("helm-controller"),
  fluxController("notification-controller"),
  {
    name: "sops",
    module: rootModule,
    package: "github.com/getsops/sops/v3/cmd/sops",
    versionOf: "github.com/getsops/sops/v3",
    onPath: { ask: ["--version"], accepts: () => ">=3.11.0 <4.0.0" },
  },
  {
    name: "age",
    module: rootModule,
    package: "filippo.io/age/cmd/age",
    versionOf: "filippo.io/age",
    linker: (version) => [setVariable("main.Version", version)],
    onPath: { ask: ["--version"], accepts: sameMajor },
  },
  {
    name: "etcdutl",
    module: "toolchain/etcdutl",
    package: "go.etcd.io/etcd/etcdutl/v3",
    versionOf: "go.etcd.io/etcd/etcdutl/v3",
    onPath: { ask: ["version"], accepts: sameMinor },
  },
  {
    name: "staticcheck",
    module: "toolchain/staticcheck",
    package: "honnef.co/go/tools/cmd/staticcheck",
    versionOf: "honnef.co/go/tools",
  },
  {
    name: "actionlint",
    module: "toolchain/actionlint",
    package: "github.com/rhysd/actionlint/cmd/actionlint",
    versionOf: "github.com/rhysd/actionlint",
    linker: (version) => [setVariable("github.com/rhysd/actionlint.version", version)],
  },
  // Tests ask it whether alerts fire.
  { name: "hearth-promql", module: "toolchain/promql", package: "./fires", source: "fires" },
  kubernetes("kubectl", { ask: ["version", "--client"], accepts: () => ">=1.30.0" }),
  {
    name: "talosctl",
    module: "toolchain/talosctl",
    package: "github.com/siderolabs/talos/cmd/talosctl",
    versionOf: "github.com/siderolabs/talos",
    onPath: { ask: ["version", "--client", "--short"], accepts: sameMajor },
  },
  {
    name: "restic",
    module: rootModule,
    package: "github.com/restic/restic/cmd/restic",
    versionOf: "github.com/restic/restic",
    onPath: { ask: ["version"], accepts: sameMinor },
  },
  {
    name: "rclone",
    module: rootModule,
    package: "./toolchain/rclone",
    source: "toolchain/rclone",
    versionOf: "github.com/rclone/rclone",
  },
  {
    // An S3 service, which the tests of backups use.
    name: "versitygw",
    module: rootModule,
    package: "github.com/versity/versitygw/cmd/versitygw",
    versionOf: "github.com/versity/versitygw",
  },
  {
    name: "volsync",
    module: "toolchain/volsync",
    package: "github.com/backube/volsync/cmd",
    versionOf: "github.com/backube/volsync",
  },
];
