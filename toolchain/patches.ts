/** A change to a module that otherwise does not build, or not with the versions that the other modules share. */
export interface Patch {
  /** Path of the module. It is built from a patched copy of its folder in Go's module cache. */
  module: string;
  /** Files that the release lacks, by path in the module. */
  files?: Readonly<Record<string, string>>;
  /** Files that the release has under another path: the desired path by the existing path. */
  copies?: Readonly<Record<string, string>>;
  /** Texts to replace. Each has to occur in its file, so that an unnecessary patch is noticed. */
  replacements?: readonly { file: string; from: string; to: string }[];
}

const pulumiKubernetes = "cmd/pulumi-resource-kubernetes";

/** The file in which Pulumi's Kubernetes plugin creates its component resources. */
const components = "pkg/provider/provider_construct.go";

/** Comments out the lines of that file that begin with the given texts. */
const without = (...beginnings: string[]): NonNullable<Patch["replacements"]> =>
  beginnings.map((from) => ({ file: components, from: `\t${from}`, to: `\t// ${from}` }));

/** Patches by the folder of the Go module that needs them. */
export const patches: Readonly<Record<string, readonly Patch[]>> = {
  ".": [
    {
      // npm builds the web assets, which no Go module contains.
      module: "github.com/controlplaneio-fluxcd/flux-operator",
      files: { "web/dist/index.html": "<!doctype html><title>Flux Operator</title>\n" },
    },
    {
      // The release's own build copies these files. Kubernetes 0.36 has structured-merge-diff v6 where 0.33 had v4, and Pulumi's
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
        // Charts v4, directories v2 and YAML v2. Hearth does not use them, and they import the Go SDK, 27 MB of source.
        ...without("providerhelmv4 ", "providerkustomizev2 ", "provideryamlv2 "),
        ...without('"kubernetes:yaml/v2:', '"kubernetes:helm.sh/v4:', '"kubernetes:kustomize/v2:'),
        { file: "pkg/gen/schema.go", from: "Provider: pschema.ResourceSpec{", to: "Provider: &pschema.ResourceSpec{" },
      ],
    },
    {
      // Talos machinery 1.13 always sets this, and no longer has the option (v1.13.9, config/generate/init.go).
      module: "github.com/siderolabs/terraform-provider-talos",
      replacements: [{ file: "pkg/talos/util.go", from: "generate.WithPersist(true),", to: "" }],
    },
  ],
  "toolchain/pulumi-language-nodejs": [
    {
      // The host is older than the engine, and passes only the calls on that it knows, so not those of resource hooks. The program asks
      // the engine itself, as with today's host (pulumi/sdk v3.68.0, nodejs/cmd/pulumi-language-nodejs/main.go).
      module: "github.com/pulumi/pulumi/sdk/v3",
      replacements: [
        {
          file: "nodejs/cmd/pulumi-language-nodejs/main.go",
          from: 'fmt.Sprintf("127.0.0.1:%d", handle.Port), pipes.directory())',
          to: "req.GetMonitorAddress(), pipes.directory())",
        },
        // Today's host reads this option from Pulumi.yaml (v3.259.0, parseOptions), which says false. Else it loads TypeScript.
        {
          file: "nodejs/cmd/pulumi-language-nodejs/main.go",
          from: 'flag.BoolVar(&typescript, "typescript", true,',
          to: 'flag.BoolVar(&typescript, "typescript", false,',
        },
      ],
    },
  ],
};
