/**
 * Extensions whose service starts only with an ExtensionServiceConfig of its name.
 *
 * Source: siderolabs/extensions, release-1.12 and release-1.13, the services with `depends: [{ configuration: true }]`.
 */
export const configuredServices = [
  "bird2",
  "cloudflared",
  "lldpd",
  "nebula",
  "netbird",
  "newt",
  "nut-client",
  "tailscale",
  "zerotier",
];

/** A kernel module that only an extension has. */
export interface ExtensionModules {
  /** Short names of the extensions, any of which has the modules. */
  extensions: string[];
  /** The modules. The machine configuration has to name the first. */
  modules: string[];
}

/**
 * Kernel modules that extensions bring, and that Talos loads only if the machine configuration names them.
 *
 * Source: siderolabs/extensions, release-1.12 and release-1.13, the README of each; for DRBD storage/drbd/pkg.yaml and LINBIT's guide
 * to Talos.
 */
export const extensionModules: ExtensionModules[] = [
  { extensions: ["drbd"], modules: ["drbd", "drbd_transport_tcp"] },
  { extensions: ["zfs"], modules: ["zfs"] },
  { extensions: ["btrfs"], modules: ["btrfs"] },
  { extensions: ["hailort"], modules: ["hailort"] },
  { extensions: ["joydev"], modules: ["joydev"] },
  { extensions: ["tenstorrent"], modules: ["tenstorrent"] },
  { extensions: ["thunderbolt"], modules: ["thunderbolt", "thunderbolt_net"] },
  { extensions: ["uhid"], modules: ["uhid"] },
  { extensions: ["uinput"], modules: ["uinput"] },
  { extensions: ["xdma-driver"], modules: ["xdma"] },
  { extensions: ["nvidia-gdrdrv-device"], modules: ["gdrdrv"] },
  {
    extensions: [
      "nvidia-open-gpu-kernel-modules-lts",
      "nvidia-open-gpu-kernel-modules-production",
      "nonfree-kmod-nvidia-lts",
      "nonfree-kmod-nvidia-production",
    ],
    modules: ["nvidia", "nvidia_uvm", "nvidia_drm", "nvidia_modeset"],
  },
];
