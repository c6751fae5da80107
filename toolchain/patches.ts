/** A change to a module without which it does not build, or not with the versions that the others share. */
export interface Patch {
  /** Path of the module. It is built from a copy of its folder in Go's module cache. */
  module: string;
  /** Files that its release lacks, by path in the module. */
  files?: Readonly<Record<string, string>>;
  /** Files that are in its release under another path: the path wanted by the path that is there. */
  copies?: Readonly<Record<string, string>>;
  /** Texts to replace. Each has to be in its file, so that a release that no longer needs the change is noticed. */
  replacements?: readonly { file: string; from: string; to: string }[];
}

const pulumiKubernetes = "cmd/pulumi-resource-kubernetes";

/** Where Pulumi's Kubernetes plugin makes its component resources. */
const components = "pkg/provider/provider_construct.go";

/** Comments out what stands at the beginning of lines of that file. */
const without = (...beginnings: string[]): NonNullable<Patch["replacements"]> =>
  beginnings.map((from) => ({ file: components, from: `\t${from}`, to: `\t// ${from}` }));

/** Patches by the folder of the Go module whose builds need them. */
export const patches: Readonly<Record<string, readonly Patch[]>> = {
  ".": [
    {
      // The web assets are built by npm and are in no Go module.
      module: "github.com/controlplaneio-fluxcd/flux-operator",
      files: { "web/dist/index.html": "<!doctype html><title>Flux Operator</title>\n" },
    },
    {
      // The release's build copies these. Kubernetes 0.36 has structured-merge-diff v6 where 0.33 had v4, and Pulumi's
      // schema holds a provider by reference (pulumi/pkg v3.259.0, codegen/schema/schema.go).
      module: "github.com/pulumi/pulumi-kubernetes/provider/v4",
      copies: {
        [`${pulumiKubernetes}/schema.json`]: `${pulumiKubernetes}/schema-embed.json`,
        [`${pulumiKubernetes}/terraform-mapping.json`]: `${pulumiKubernetes}/terraform-mapping-embed.json`,
      },
      replacements: [
        {
          file: "pkg/await/await.go",
          from: "sigs.k8s.io/structured-merge-diff/v4/fieldpath",
          to: "sigs.k8s.io/structured-merge-diff/v6/fieldpath",
        },
        // Charts v4, directories v2 and YAML v2, which no program of Hearth's uses: they import the Go SDK, 27 MB of source.
        ...without("providerhelmv4 ", "providerkustomizev2 ", "provideryamlv2 "),
        ...without('"kubernetes:yaml/v2:', '"kubernetes:helm.sh/v4:', '"kubernetes:kustomize/v2:'),
        { file: "pkg/gen/schema.go", from: "Provider: pschema.ResourceSpec{", to: "Provider: &pschema.ResourceSpec{" },
      ],
    },
    {
      // Talos machinery 1.13 always sets it (v1.13.9, config/generate/init.go), and has no option for it any more.
      module: "github.com/siderolabs/terraform-provider-talos",
      replacements: [{ file: "pkg/talos/util.go", from: "generate.WithPersist(true),", to: "" }],
    },
  ],
};
