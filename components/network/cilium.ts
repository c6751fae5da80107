import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** A chart as the GitOps tree has it. */
export interface ChartRelease {
  /** OCI address of the chart. */
  chart: string;
  version: string;
  values: Record<string, unknown>;
}

export interface CiliumArgs {
  release: ChartRelease;
}

/** Cilium's first installation, which makes nodes Ready. From then on Flux has the release. */
export class Cilium extends pulumi.ComponentResource {
  constructor(name: string, { release }: CiliumArgs, opts: pulumi.ComponentResourceOptions) {
    super("hearth:network:Cilium", name, {}, opts);
    new k8s.helm.v3.Release(
      "cilium",
      {
        name: "cilium",
        namespace: "kube-system",
        chart: release.chart,
        version: release.version,
        values: release.values,
        timeout: 900,
      },
      {
        parent: this,
        // Flux upgrades the release after the hand-off; Pulumi would put it back.
        ignoreChanges: ["chart", "version", "values"],
      },
    );
    this.registerOutputs({});
  }
}
