import type { Change } from "../../../support/changes.ts";
import type { BadConfiguration } from "./bad-configurations.ts";

const image = (services: object, ...extensions: string[]): Change => [
  "images/standard",
  { extensions: ["siderolabs/qemu-guest-agent", ...extensions.map((name) => `siderolabs/${name}`)], services },
];
const nut = { ups: "ups", host: "nas.example.com", user: "monuser" };
const at = "images.standard.services";

/** Mistakes in the services that extensions bring. */
export const badServices: BadConfiguration[] = [
  {
    what: "services with their extensions and their secret",
    stack: "dev",
    changes: [
      image(
        {
          ...{ tailscale: { routes: ["10.20.0.0/24"] }, netbird: {}, cloudflared: {}, "nut-client": nut },
          ...{
            zerotier: { networks: ["8056c2e21c000001"] },
            lldpd: { configuration: "configure lldp status rx-only" },
          },
          multipathd: { configuration: "defaults {}" },
        },
        ...["tailscale", "netbird", "cloudflared", "nut-client", "zerotier", "lldpd", "multipath-tools"],
      ),
    ],
    secrets: ["serviceSecrets"],
    problems: [],
    warnings: [],
  },
  {
    what: "a service without its extension",
    stack: "dev",
    changes: [image({ multipathd: { configuration: "defaults {}" } })],
    problems: [
      [
        `${at}.multipathd`,
        "is of siderolabs/multipath-tools, which the image does not have",
        "add siderolabs/multipath-tools to the profile's extensions",
      ],
    ],
  },
  {
    what: "a service that nobody knows",
    stack: "dev",
    changes: [image({ tailscal: {} }, "tailscale")],
    problems: [[`${at}.tailscal`, "is not a key that Hearth knows", "write tailscale"]],
  },
  {
    what: "a service whose secret stands beside its settings",
    stack: "dev",
    changes: [image({ "nut-client": { ...nut, password: "hunter2" } }, "nut-client")],
    problems: [[`${at}.nut-client.password`, "is not a key that Hearth knows", "use ups, host or user"]],
  },
  {
    what: "settings of services that are none",
    stack: "dev",
    changes: [
      image(
        {
          tailscale: { routes: ["10.20.0.1"], tags: ["talos"] },
          zerotier: { networks: ["8056C2E21C000001"] },
          "nut-client": { ...nut, host: "nas example" },
          newt: { endpoint: "pangolin.example.com", id: "2ix2t8xk22ubpfy" },
          lldpd: { configuration: "" },
        },
        ...["tailscale", "zerotier", "nut-client", "newt", "lldpd"],
      ),
    ],
    problems: [
      [`${at}.tailscale.routes.0`, "10.20.0.1 is not a range", "write one such as 10.20.0.0/24"],
      [`${at}.tailscale.tags.0`, "talos is not a tag", "write one such as tag:talos"],
      [`${at}.zerotier.networks.0`, "8056C2E21C000001 is not a network", "write its 16 hexadecimal digits"],
      [
        `${at}.newt.endpoint`,
        "pangolin.example.com is not a URL with https",
        "write one such as https://pangolin.example.com",
      ],
      [`${at}.nut-client.host`, "nas example is not one word", "write one such as nas.example.com"],
      [`${at}.lldpd.configuration`, "is empty", "write the service's configuration"],
    ],
  },
  {
    what: "a service without its secret, which is a gap and no problem",
    stack: "dev",
    changes: [image({ "nut-client": nut }, "nut-client")],
    problems: [],
    warnings: [],
  },
  {
    what: "a secret of services with no service that has one",
    stack: "dev",
    changes: [image({ zerotier: { networks: ["8056c2e21c000001"] } }, "zerotier")],
    secrets: ["serviceSecrets"],
    problems: [],
    warnings: [
      [
        "serviceSecrets",
        "is not used, for no service of an image profile has a secret",
        "remove the secret with: pulumi config rm hearth:serviceSecrets",
      ],
    ],
  },
  {
    what: "a patch beside the service's settings",
    stack: "dev",
    changes: [
      image({ tailscale: {} }, "tailscale"),
      ["cluster/patches", { all: [{ apiVersion: "v1alpha1", kind: "ExtensionServiceConfig", name: "tailscale" }] }],
    ],
    secrets: ["serviceSecrets"],
    problems: [],
    warnings: [
      [
        "cluster.patches.all.0",
        "ExtensionServiceConfig tailscale is a document that Hearth writes, and Talos would merge both",
        "use services of the image profile",
      ],
    ],
  },
];
