import * as pulumi from "@pulumi/pulumi";

import { installOnce, type ChartRelease } from "../helm/install-once.ts";

export interface CiliumArgs {
  /** The chart, with values that suit Talos (see `ciliumProblems`). */
  release: ChartRelease;
}

/** Installs Cilium once, which makes the nodes Ready. Afterwards Git manages the release. */
export class Cilium extends pulumi.ComponentResource {
  constructor(name: string, { release }: CiliumArgs, opts: pulumi.ComponentResourceOptions) {
    super("hearth:network:Cilium", name, {}, opts);
    installOnce("cilium", { release, namespace: "kube-system", timeout: 900 }, { parent: this });
    this.registerOutputs({});
  }
}
