import { documentOf, type TalosDocument } from "./documents/document.ts";

/** Settings of the services that extensions bring, by the service's name. */
export interface Services {
  tailscale?: Tailscale | undefined;
  netbird?: { managementUrl?: string | undefined } | undefined;
  zerotier?: { networks: string[] } | undefined;
  cloudflared?: { metrics?: string | undefined } | undefined;
  newt?: { endpoint: string; id: string } | undefined;
  "nut-client"?: { ups: string; host: string; user: string } | undefined;
  lldpd?: Configured | undefined;
  bird2?: Configured | undefined;
  multipathd?: Configured | undefined;
  nebula?: Configured | undefined;
}

/** A node of a tailnet. */
export interface Tailscale {
  /** Ranges that the tailnet reaches through the machine. */
  routes: string[];
  /** Whether the machine reaches ranges behind other nodes. */
  acceptRoutes: boolean;
  /** Whether the machine asks the tailnet's name servers. */
  acceptDns: boolean;
  tags: string[];
}

/** A service with a configuration in its own language. */
export interface Configured {
  configuration: string;
}

/** Secrets of services, by the service's name. */
export interface ServiceSecrets {
  tailscale?: { authKey: string } | undefined;
  netbird?: { setupKey: string } | undefined;
  cloudflared?: { token: string } | undefined;
  newt?: { secret: string } | undefined;
  "nut-client"?: { password: string } | undefined;
  nebula?: { authority: string; nodes: Record<string, { certificate: string; key: string }> } | undefined;
}

/** What a service reads. */
interface Content {
  environment?: string[];
  /** By their path in the service's container. */
  files?: Record<string, string>;
}

type Name = keyof Services;

interface Service<Of extends Name> {
  /** Short name of the extension that brings it. */
  extension: string;
  /** What everybody may see. */
  open: (settings: NonNullable<Services[Of]>, node: string) => Content;
  /** What is in the secret, as an example; absent where it needs none. */
  example?: string;
  secret?: (settings: NonNullable<Services[Of]>, secrets: ServiceSecrets, node: string) => Content;
}

const nothing = (): Content => ({});

const file = (path: string) => ({
  open: ({ configuration }: Configured): Content => ({ files: { [path]: configuration } }),
});

/** A value of a NUT configuration file. Source: networkupstools/nut v2.8.4, common/parseconf.c. */
const quoted = (text: string): string => `"${text.replaceAll(/(["\\])/g, String.raw`\$1`)}"`;

/** The ten services with a configuration of their own. Source: siderolabs/extensions, release-1.13, the README of each. */
const catalogue: { [Of in Name]-?: Service<Of> } = {
  tailscale: {
    extension: "tailscale",
    // Source: tailscale/tailscale v1.90, cmd/containerboot/settings.go.
    open: ({ routes, acceptRoutes, acceptDns, tags }, node) => ({
      environment: [
        `TS_HOSTNAME=${node}`,
        // The machine keeps its place in the tailnet when the key has ended.
        "TS_AUTH_ONCE=true",
        `TS_ACCEPT_DNS=${String(acceptDns)}`,
        ...(routes.length > 0 ? [`TS_ROUTES=${routes.join(",")}`] : []),
        ...flags([
          ...(acceptRoutes ? ["--accept-routes"] : []),
          ...(tags.length > 0 ? [`--advertise-tags=${tags.join(",")}`] : []),
        ]),
      ],
    }),
    example: '{"authKey": "…"}',
    secret: (_, { tailscale }) => (tailscale ? { environment: [`TS_AUTHKEY=${tailscale.authKey}`] } : {}),
  },
  netbird: {
    extension: "netbird",
    open: ({ managementUrl }, node) => ({
      environment: [`NB_HOSTNAME=${node}`, ...(managementUrl ? [`NB_MANAGEMENT_URL=${managementUrl}`] : [])],
    }),
    example: '{"setupKey": "…"}',
    secret: (_, { netbird }) => (netbird ? { environment: [`NB_SETUP_KEY=${netbird.setupKey}`] } : {}),
  },
  zerotier: {
    extension: "zerotier",
    open: ({ networks }) => ({ environment: [`ZEROTIER_NETWORK=${networks.join(",")}`] }),
  },
  cloudflared: {
    extension: "cloudflared",
    open: ({ metrics }) => (metrics ? { environment: [`TUNNEL_METRICS=${metrics}`] } : {}),
    example: '{"token": "…"}',
    secret: (_, { cloudflared }) => (cloudflared ? { environment: [`TUNNEL_TOKEN=${cloudflared.token}`] } : {}),
  },
  newt: {
    extension: "newt",
    open: ({ endpoint, id }) => ({ environment: [`PANGOLIN_ENDPOINT=${endpoint}`, `NEWT_ID=${id}`] }),
    example: '{"secret": "…"}',
    secret: (_, { newt }) => (newt ? { environment: [`NEWT_SECRET=${newt.secret}`] } : {}),
  },
  "nut-client": {
    extension: "nut-client",
    // It reads one file, which has the password.
    open: nothing,
    example: '{"password": "…"}',
    secret: ({ ups, host, user }, secrets) => {
      const { password } = secrets["nut-client"] ?? {};
      if (password === undefined) return {};
      const lines = [`MONITOR ${ups}@${host} 1 ${user} ${quoted(password)} secondary`, 'SHUTDOWNCMD "/sbin/poweroff"'];
      return { files: { "/usr/local/etc/nut/upsmon.conf": `${lines.join("\n")}\n` } };
    },
  },
  lldpd: { extension: "lldpd", ...file("/usr/local/etc/lldpd/lldpd.conf") },
  bird2: { extension: "bird2", ...file("/usr/local/etc/bird.conf") },
  multipathd: { extension: "multipath-tools", ...file("/etc/multipath.conf") },
  nebula: {
    extension: "nebula",
    ...file("/usr/local/etc/nebula/config.yml"),
    example: '{"authority": "…", "nodes": {"…": {"certificate": "…", "key": "…"}}}',
    secret: (_, { nebula }, node) => {
      const own = nebula?.nodes[node];
      if (!nebula || !own) return {};
      return {
        files: {
          "/usr/local/etc/nebula/ca.crt": nebula.authority,
          "/usr/local/etc/nebula/node.crt": own.certificate,
          "/usr/local/etc/nebula/node.key": own.key,
        },
      };
    },
  },
};

const flags = (all: string[]): string[] => (all.length > 0 ? [`TS_EXTRA_ARGS=${all.join(" ")}`] : []);

const names = Object.keys(catalogue) as Name[];

/** The extension that brings a service, such as `siderolabs/multipath-tools`. */
export const extensionOf = (service: keyof Services): string => `siderolabs/${catalogue[service].extension}`;

/** What a service needs of the secret, as an example; undefined where it needs nothing. */
export const secretExample = (service: keyof Services): string | undefined => catalogue[service].example;

/** The services that have settings. */
export const configuredIn = (services: Services): (keyof Services)[] =>
  names.filter((name) => services[name] !== undefined);

/** Renders a machine's services, without what is secret. */
export const serviceDocuments = (services: Services, node: string): TalosDocument[] =>
  rendered(services, (service, settings) => service.open(settings, node));

/** Renders what is secret of a machine's services. Talos merges it with what is not, by the services' names. */
export const secretServiceDocuments = (services: Services, secrets: ServiceSecrets, node: string): TalosDocument[] =>
  rendered(services, (service, settings) => service.secret?.(settings, secrets, node) ?? {});

const rendered = (services: Services, render: (service: Service<Name>, settings: never) => Content): TalosDocument[] =>
  configuredIn(services).flatMap((name) => {
    const { environment = [], files = {} } = render(catalogue[name] as Service<Name>, services[name] as never);
    const configFiles = Object.entries(files).map(([mountPath, content]) => ({ content, mountPath }));
    if (environment.length === 0 && configFiles.length === 0) return [];
    return [
      documentOf("ExtensionServiceConfig", {
        name,
        ...(configFiles.length > 0 && { configFiles }),
        ...(environment.length > 0 && { environment }),
      }),
    ];
  });
