/** A document of a Talos machine configuration. */
export type TalosDocument = Record<string, unknown>;

/** The alias that every machine's first link has, whatever the kernel calls it. */
export const link = "net0";

/**
 * Gives a machine its name.
 *
 * From contract v1.12 Talos generates `HostnameConfig` with `auto: stable`; a fixed name turns that off.
 * Source: Talos 1.12 reference, network/HostnameConfig.
 */
export const hostnameDocument = (hostname: string): TalosDocument => ({
  apiVersion: "v1alpha1",
  kind: "HostnameConfig",
  hostname,
  auto: "off",
});

/** Names the link that has a hardware address, since kernels name it differently from one release to the next. */
export const linkAliasDocument = (mac: string): TalosDocument => ({
  apiVersion: "v1alpha1",
  kind: "LinkAliasConfig",
  name: link,
  selector: { match: `mac(link.permanent_addr) == "${mac.toLowerCase()}"` },
});

/** Gives the link a fixed address and the default route. */
export const linkDocument = (address: string, prefixLength: number, gateway: string): TalosDocument => ({
  apiVersion: "v1alpha1",
  kind: "LinkConfig",
  name: link,
  up: true,
  addresses: [{ address: `${address}/${prefixLength}` }],
  routes: [{ gateway }],
});

/** The address that control planes share; one of them answers for it at a time. */
export const vipDocument = (vip: string): TalosDocument => ({
  apiVersion: "v1alpha1",
  kind: "Layer2VIPConfig",
  name: vip,
  link,
});

export const resolverDocument = (nameservers: string[]): TalosDocument => ({
  apiVersion: "v1alpha1",
  kind: "ResolverConfig",
  nameservers: nameservers.map((address) => ({ address })),
});

export const timeSyncDocument = (servers: string[]): TalosDocument => ({
  apiVersion: "v1alpha1",
  kind: "TimeSyncConfig",
  ntp: { servers },
});
