import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** A chart as the GitOps tree has it. */
export interface ChartRelease {
  /** OCI address of the chart. */
  chart: string;
  version: string;
  values: Record<string, unknown>;
}

export interface Installation {
  release: ChartRelease;
  namespace: pulumi.Input<string>;
  /** Seconds until the release has to be ready. */
  timeout: number;
}

/**
 * Installs a chart so that GitOps can start, and leaves the release to Git from then on.
 *
 * Git upgrades what is installed: the program does not put it back (`ignoreChanges`), and a destroy forgets the release
 * instead of uninstalling it (`retainOnDelete`), as its machines are about to go.
 */
export const installOnce = (
  name: string,
  { release, namespace, timeout }: Installation,
  opts: pulumi.CustomResourceOptions & { parent: pulumi.Resource },
): k8s.helm.v3.Release =>
  new k8s.helm.v3.Release(
    name,
    { name, namespace, ...release, timeout, ...unreadChart() },
    { ...opts, retainOnDelete: true, ignoreChanges: ["chart", "version", "values", "timeout"] },
  );

/**
 * Keeps a preview from downloading the chart.
 *
 * The plugin loads the chart in every check, to resolve its version, unless an input is not known yet; and it drops
 * `resourceNames`, which it deprecated, from what it goes on with. So that one is not known in previews.
 * Source: pulumi/pulumi-kubernetes, provider/pkg/provider/helm_release.go, Check.
 */
const unreadChart = (): Pick<k8s.helm.v3.ReleaseArgs, "resourceNames"> =>
  pulumi.runtime.isDryRun()
    ? { resourceNames: pulumi.output(pulumi.unknown as unknown as Record<string, string[]>) }
    : {};
