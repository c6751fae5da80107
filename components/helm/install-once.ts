import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** A chart as the GitOps tree declares it. */
export interface ChartRelease {
  /** OCI address of the chart. */
  chart: string;
  version: string;
  values: Record<string, unknown>;
}

export interface Installation {
  release: ChartRelease;
  namespace: pulumi.Input<string>;
  /** Seconds that the release may take to become ready. */
  timeout: number;
}

/**
 * Installs a chart so that GitOps can start, and leaves the release to Git afterwards.
 *
 * Git upgrades the release, and the program does not revert that (`ignoreChanges`). A destroy forgets the release instead of
 * uninstalling it (`retainOnDelete`), because its machines go next.
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
 * The plugin loads the chart in every check to resolve its version, unless an input is unknown. It drops `resourceNames`,
 * which is deprecated, before it uses the inputs. So previews make that input unknown.
 * Source: pulumi/pulumi-kubernetes, provider/pkg/provider/helm_release.go, Check.
 */
const unreadChart = (): Pick<k8s.helm.v3.ReleaseArgs, "resourceNames"> =>
  pulumi.runtime.isDryRun()
    ? { resourceNames: pulumi.output(pulumi.unknown as unknown as Record<string, string[]>) }
    : {};
