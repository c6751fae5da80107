/** A project whose charts or custom resources the GitOps tree uses. Its Go module contains the files that are read. */
export interface Project {
  name: string;
  /** Pinned by toolchain/charts/go.mod. */
  module: string;
  /** Files and folders of the module that contain its CustomResourceDefinitions. */
  definitions: string[];
  /** Names of the charts that install the definitions. Empty if they are installed before Flux. */
  broughtBy: string[];
  /** Charts in the module, by name. */
  charts?: Record<string, ProjectChart>;
}

export interface ProjectChart {
  /** Folder of the module. */
  folder: string;
  /** Further folders that the chart's sources link to, by their path in the chart: of the module, or of another project's. */
  with?: Record<string, string | { project: string; folder: string }>;
  /** Whether its project writes the release into Chart.yaml only when it publishes the chart. */
  hasModuleVersion?: true;
  /** Whether the API server calls its pods. Such a chart cannot work in the lab, where pods only appear to run. */
  hasWebhook?: true;
  /** Whether it is checked only, and the lab does not install it. */
  isOnlyChecked?: true;
}

/** The sources of the schemas and charts that the tree is checked against. */
export const projects: readonly Project[] = [
  {
    name: "cilium",
    module: "github.com/cilium/cilium",
    definitions: ["pkg/k8s/apis/cilium.io/client/crds/v2", "pkg/k8s/apis/cilium.io/client/crds/v2alpha1"],
    broughtBy: [],
    charts: { cilium: { folder: "install/kubernetes/cilium" } },
  },
  // Talos installs these definitions when it bootstraps a cluster; see components/network/gateway-api.ts.
  {
    name: "gateway-api",
    module: "sigs.k8s.io/gateway-api",
    definitions: ["config/crd/experimental"],
    broughtBy: [],
  },
  // Talos installs this definition if pods may call its API; see components/talos/documents/features.ts.
  {
    name: "talos",
    module: "github.com/siderolabs/talos",
    definitions: [
      "internal/app/machined/pkg/controllers/k8s/internal/k8stemplates/testdata/talos-service-account-crd.yaml",
    ],
    broughtBy: [],
  },
  {
    name: "cert-manager",
    module: "github.com/cert-manager/cert-manager",
    definitions: ["deploy/crds"],
    broughtBy: ["cert-manager"],
    charts: { "cert-manager": { folder: "deploy/charts/cert-manager", hasWebhook: true } },
  },
  {
    name: "external-secrets",
    module: "github.com/external-secrets/external-secrets",
    definitions: ["config/crds/bases"],
    broughtBy: ["external-secrets"],
    charts: { "external-secrets": { folder: "deploy/charts/external-secrets", hasWebhook: true } },
  },
  {
    name: "external-dns",
    module: "sigs.k8s.io/external-dns",
    definitions: ["charts/external-dns/crds"],
    broughtBy: ["external-dns"],
    charts: { "external-dns": { folder: "charts/external-dns" } },
  },
  {
    name: "traefik",
    module: "github.com/traefik/traefik/v3",
    definitions: ["docs/content/reference/dynamic-configuration"],
    broughtBy: ["traefik", "traefik-crds"],
  },
  {
    name: "prometheus-operator",
    module: "github.com/prometheus-operator/prometheus-operator",
    definitions: ["example/prometheus-operator-crd"],
    broughtBy: ["prometheus-operator-crds", "kube-prometheus-stack"],
  },
  {
    name: "rook",
    module: "github.com/rook/rook",
    definitions: ["deploy/examples/crds.yaml", "deploy/examples/csi-operator.yaml"],
    broughtBy: ["rook-ceph"],
    charts: {
      "rook-ceph": {
        folder: "deploy/charts/rook-ceph",
        with: {
          "charts/library": "deploy/charts/library",
          "charts/ceph-csi-operator": { project: "ceph-csi-operator", folder: "deploy/charts/ceph-csi-operator" },
        },
        isOnlyChecked: true,
      },
      "rook-ceph-cluster": {
        folder: "deploy/charts/rook-ceph-cluster",
        with: { "charts/library": "deploy/charts/library" },
      },
    },
  },
  // Its definitions are Rook's: deploy/examples/csi-operator.yaml.
  {
    name: "ceph-csi-operator",
    module: "github.com/ceph/ceph-csi-operator",
    definitions: [],
    broughtBy: [],
    charts: {
      "ceph-csi-drivers": { folder: "deploy/charts/ceph-csi-drivers", hasModuleVersion: true, isOnlyChecked: true },
    },
  },
  {
    name: "piraeus",
    module: "github.com/piraeusdatastore/piraeus-operator/v2",
    definitions: ["config/crd/bases"],
    broughtBy: ["piraeus"],
    charts: { piraeus: { folder: "charts/piraeus", hasWebhook: true } },
  },
  {
    name: "external-snapshotter",
    module: "github.com/kubernetes-csi/external-snapshotter/client/v8",
    definitions: ["config/crd"],
    broughtBy: ["snapshot-controller"],
  },
  {
    name: "volsync",
    module: "github.com/backube/volsync",
    definitions: ["config/crd/bases"],
    broughtBy: ["volsync"],
    charts: { volsync: { folder: "helm/volsync" } },
  },
  {
    name: "cloudnative-pg",
    module: "github.com/cloudnative-pg/cloudnative-pg",
    definitions: ["config/crd/bases"],
    broughtBy: ["cloudnative-pg"],
  },
  {
    name: "plugin-barman-cloud",
    module: "github.com/cloudnative-pg/plugin-barman-cloud",
    definitions: ["config/crd/bases"],
    broughtBy: ["plugin-barman-cloud"],
  },
  {
    name: "crossplane",
    module: "github.com/crossplane/crossplane/v2",
    definitions: ["cluster/crds"],
    broughtBy: ["crossplane"],
    charts: { crossplane: { folder: "cluster/charts/crossplane" } },
  },
];

/** API groups whose definitions are in no available Go module. Their objects are checked for their form only. */
export const withoutSchema: Readonly<Record<string, string>> = {
  "kubevirt.io": "KubeVirt generates its definitions when its operator starts",
};
