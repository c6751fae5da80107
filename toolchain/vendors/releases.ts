/** A platform that releases are downloaded for. Vendors name platforms differently, so each release maps them. */
export type Platform = "linux/amd64" | "linux/arm64";

/** A release file for one platform. */
export interface Asset {
  /** Without a leading `v`. */
  version: string;
  os: string;
  /** In Go's notation: `amd64`, `arm64`. */
  arch: string;
}

/** A vendor's release, and the tools in it. */
export interface Release {
  /** SPDX identifier of the program's licence. */
  licence: string;
  /** A file to download, or a container image of which one layer contains the program. */
  from: { file: (asset: Asset) => string } | { image: (asset: Asset) => string };
  /** Format of the file's archive. Layers of an image state theirs. */
  packed?: "tar.gz" | "zip";
  /** The path of each tool in the archive or image. A file that is not an archive is the tool itself. */
  holds: Record<string, (asset: Asset) => string>;
}

const github = (repository: string, file: (asset: Asset) => string) => ({
  file: (asset: Asset) => `https://github.com/${repository}/releases/download/v${asset.version}/${file(asset)}`,
});

/** Pulumi and versitygw have their own names for processors. */
const pulumiArch = ({ arch }: Asset): string => (arch === "amd64" ? "x64" : arch);
const unameArch = ({ arch }: Asset): string => (arch === "amd64" ? "x86_64" : arch);

const kubernetes = (name: string): Release => ({
  licence: "Apache-2.0",
  from: { file: ({ version, os, arch }) => `https://dl.k8s.io/release/v${version}/bin/${os}/${arch}/${name}` },
  holds: { [name]: () => name },
});

const fluxController = (name: string): Release => ({
  licence: "Apache-2.0",
  from: { image: ({ version }) => `ghcr.io/fluxcd/${name}:v${version}` },
  holds: { [name]: () => `usr/local/bin/${name}` },
});

const plugin = (name: string, repository: string): Release => ({
  licence: "Apache-2.0",
  from: github(repository, ({ version, os, arch }) => `pulumi-resource-${name}-v${version}-${os}-${arch}.tar.gz`),
  packed: "tar.gz",
  holds: { [`pulumi-resource-${name}`]: () => `pulumi-resource-${name}` },
});

/**
 * The vendors' releases of the programs in tools.ts.
 *
 * No version is written here. A tool's version is pinned by its Go module, and a plugin's by its npm package, so Renovate updates
 * it in one file. `digests.json` has the digests for exactly one version of each release. VolSync has no release here, because
 * its image is several times larger than the download for its build.
 */
export const releases: readonly Release[] = [
  {
    licence: "Apache-2.0",
    from: github("pulumi/pulumi", (asset) => `pulumi-v${asset.version}-${asset.os}-${pulumiArch(asset)}.tar.gz`),
    packed: "tar.gz",
    holds: {
      pulumi: () => "pulumi/pulumi",
      "pulumi-language-nodejs": () => "pulumi/pulumi-language-nodejs",
    },
  },
  plugin("kubernetes", "pulumi/pulumi-kubernetes"),
  plugin("random", "pulumi/pulumi-random"),
  plugin("cloudflare", "pulumi/pulumi-cloudflare"),
  plugin("talos", "pulumiverse/pulumi-talos"),
  plugin("proxmoxve", "muhlba91/pulumi-proxmoxve"),
  kubernetes("kube-apiserver"),
  kubernetes("kube-controller-manager"),
  kubernetes("kube-scheduler"),
  kubernetes("kubectl"),
  {
    licence: "Apache-2.0",
    from: github("etcd-io/etcd", (asset) => `${etcdFolder(asset)}.tar.gz`),
    packed: "tar.gz",
    holds: { etcd: (asset) => `${etcdFolder(asset)}/etcd`, etcdutl: (asset) => `${etcdFolder(asset)}/etcdutl` },
  },
  fluxController("source-controller"),
  fluxController("kustomize-controller"),
  fluxController("helm-controller"),
  fluxController("notification-controller"),
  {
    licence: "AGPL-3.0-only",
    from: { image: ({ version }) => `ghcr.io/controlplaneio-fluxcd/flux-operator:v${version}` },
    holds: { "flux-operator": () => "flux-operator" },
  },
  {
    licence: "Apache-2.0",
    from: github("kubernetes-sigs/kwok", ({ os, arch }) => `kwok-${os}-${arch}`),
    holds: { kwok: () => "kwok" },
  },
  {
    licence: "MPL-2.0",
    from: github("siderolabs/talos", ({ os, arch }) => `talosctl-${os}-${arch}`),
    holds: { talosctl: () => "talosctl" },
  },
  {
    licence: "BSD-3-Clause",
    from: github("FiloSottile/age", ({ version, os, arch }) => `age-v${version}-${os}-${arch}.tar.gz`),
    packed: "tar.gz",
    holds: { age: () => "age/age" },
  },
  {
    // The release files are packed with bzip2, which Node.js cannot read.
    licence: "BSD-2-Clause",
    from: { image: ({ version }) => `docker.io/restic/restic:${version}` },
    holds: { restic: () => "usr/bin/restic" },
  },
  {
    licence: "MIT",
    from: github("rclone/rclone", (asset) => `${rcloneFolder(asset)}.zip`),
    packed: "zip",
    holds: { rclone: (asset) => `${rcloneFolder(asset)}/rclone` },
  },
  {
    licence: "MPL-2.0",
    from: github("getsops/sops", ({ version, os, arch }) => `sops-v${version}.${os}.${arch}`),
    holds: { sops: () => "sops" },
  },
  {
    licence: "MIT",
    from: github("rhysd/actionlint", ({ version, os, arch }) => `actionlint_${version}_${os}_${arch}.tar.gz`),
    packed: "tar.gz",
    holds: { actionlint: () => "actionlint" },
  },
  {
    licence: "Apache-2.0",
    from: github("versity/versitygw", (asset) => `${versitygwFolder(asset)}.tar.gz`),
    packed: "tar.gz",
    holds: { versitygw: (asset) => `${versitygwFolder(asset)}/versitygw` },
  },
];

function etcdFolder({ version, os, arch }: Asset): string {
  return `etcd-v${version}-${os}-${arch}`;
}

function rcloneFolder({ version, os, arch }: Asset): string {
  return `rclone-v${version}-${os}-${arch}`;
}

function versitygwFolder(asset: Asset): string {
  return `versitygw_v${asset.version}_Linux_${unameArch(asset)}`;
}
