import * as pulumi from "@pulumi/pulumi";
import * as talos from "@pulumi/talos";

import type { Machine } from "../components/machines/machine.ts";
import { gatewayApiPatch } from "../components/network/gateway-api.ts";
import { TalosCluster } from "../components/talos/cluster.ts";
import type { HearthConfig } from "./config/index.ts";
import { prefixLength } from "./config/ipv4.ts";
import { parseSecretPatches } from "./config/patches.ts";

/** Creates a cluster from machines. */
export const formCluster = (
  { cluster, network, nodes }: HearthConfig,
  { machinePatches }: { machinePatches?: pulumi.Output<unknown> | undefined },
  machines: Record<string, Machine>,
  { provider, imageProfiles }: { provider: talos.Provider; imageProfiles: pulumi.Input<pulumi.Resource>[] },
): TalosCluster =>
  new TalosCluster(
    "talos",
    {
      ...cluster,
      ...network,
      vip: cluster.vip,
      talosApiAccess: cluster.talosApiAccess,
      machines,
      imageProfiles,
      patches: {
        ...cluster.patches,
        controlPlanes: [
          ...(network.gatewayApi ? [gatewayApiPatch(network.gatewayApi)] : []),
          ...cluster.patches.controlPlanes,
        ],
      },
      prefixLength: prefixLength(network.subnet),
      scheduleOnControlPlanes:
        cluster.scheduleOnControlPlanes ?? Object.values(nodes).every(({ role }) => role === "controlplane"),
      ...(machinePatches && {
        secretPatches: machinePatches.apply((raw) => parseSecretPatches(raw, pulumi.getStack())),
      }),
    },
    { provider },
  );
