import type { TalosRelease } from "./release.ts";
import { v1_12 } from "./v1.12.ts";

/** Source: siderolabs/talos v1.13.9, pkg/machinery/config/types, the registered kinds. No kind of v1.12 was removed. */
const documentKinds = [
  ...v1_12.documentKinds,
  "BlackholeRouteConfig",
  "EnvironmentConfig",
  "ExternalVolumeConfig",
  "ImageVerificationConfig",
  "KubeSpanConfig",
  "RoutingRuleConfig",
  "TCPProbeConfig",
  "VRFConfig",
];

/** Source: siderolabs/extensions, release-1.13 at ec9d5f68fcfb (2026-08-18), the names in the manifests. */
const extensions = [
  ...v1_12.extensions,
  "siderolabs/intel-npu",
  "siderolabs/joydev",
  "siderolabs/px-fuse",
  "siderolabs/rockchip-rknn",
  "siderolabs/uhid",
];

export const v1_13: TalosRelease = {
  minor: "v1.13",
  // Source: siderolabs/talos v1.13.9, pkg/machinery/compatibility/talos113.
  kubernetes: { first: 31, last: 36 },
  documentKinds,
  extensions,
  // Source: siderolabs/talos v1.13.9, CanApplyImmediate of v1alpha1_runtime.go: the same fields as in v1.12.11.
  whileRunning: v1_12.whileRunning,
  documents: v1_12.documents,
};
