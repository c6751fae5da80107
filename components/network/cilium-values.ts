/** A value of Cilium's chart that does not suit the cluster. */
export interface ValueProblem {
  /** Path of the value in the chart's values. */
  path: string[];
  /** What is wrong. The text continues the value's path. */
  problem: string;
  /** What to write instead. */
  advice: string;
}

/** What the cluster needs of Cilium, beyond what Talos needs. */
export interface CiliumNeeds {
  /** How the network learns the addresses of load balancers. */
  announcement: "l2" | "bgp";
  /** Whether the Gateway API's CRDs are installed. */
  gatewayApi: boolean;
  /** Names that the kernel gives the links with the machines' addresses, as far as they are known. @default none */
  links?: string[];
  /** Whether pods and Services have IPv6 addresses. @default false */
  ipv6?: boolean;
  /** How nodes encrypt what they send each other. @default none */
  encryption?: "none" | "wireguard" | "ipsec";
}

type Values = Record<string, unknown>;

/** Checks the values and returns the problems that it finds. */
type Rule = (values: Values, needs: CiliumNeeds) => ValueProblem[];

/**
 * Finds values that keep Cilium from working on a Talos cluster and that Helm accepts.
 *
 * Source: Talos 1.13 guide "Deploying Cilium CNI"; siderolabs/talos#10002 for host routing.
 */
export const ciliumProblems = (values: Values, needs: CiliumNeeds): ValueProblem[] =>
  rules.flatMap((rule) => rule(values, needs));

/** Capabilities that Cilium's containers need and Talos grants. Talos grants SYS_MODULE to no container. */
const capabilities = {
  ciliumAgent: [
    "CHOWN",
    "KILL",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "SYS_ADMIN",
    "SYS_RESOURCE",
    "DAC_OVERRIDE",
    "FOWNER",
    "SETGID",
    "SETUID",
  ],
  cleanCiliumState: ["NET_ADMIN", "SYS_ADMIN", "SYS_RESOURCE"],
};

const exactly =
  (path: string, wanted: string | number | boolean, why: string): Rule =>
  (values) => {
    const steps = path.split(".");
    const found = at(values, steps);
    if (String(found) === String(wanted)) return [];
    const twin = misspelt(values, steps);
    const advice = twin
      ? `write ${path}: ${wanted} in place of ${twin}, which Helm ignores: ${why}`
      : `write ${wanted}: ${why}`;
    return [
      { path: steps, problem: found === undefined ? "is missing" : `${show(found)} does not suit Talos`, advice },
    ];
  };

const grants =
  (container: keyof typeof capabilities): Rule =>
  (values) => {
    const path = ["securityContext", "capabilities", container];
    const found = at(values, path);
    const granted = Array.isArray(found) ? found.map(String) : [];
    const wanted = capabilities[container];
    const missing = wanted.filter((capability) => !granted.includes(capability));
    if (granted.includes("SYS_MODULE")) {
      return [{ path, problem: "SYS_MODULE is refused by Talos, which lets no pod load modules", advice: "remove it" }];
    }
    if (missing.length === 0) return [];
    return [
      {
        path,
        problem:
          found === undefined ? "is missing, and the chart's own list has SYS_MODULE" : `lacks ${missing.join(", ")}`,
        advice: `write [${wanted.join(", ")}]`,
      },
    ];
  };

const devices: Rule = (values) => {
  const found = at(values, ["devices"]);
  const isNamed = Array.isArray(found) ? found.length > 0 : typeof found === "string" && found !== "";
  if (!isOn(values, ["l2announcements", "enabled"]) || isNamed) return [];
  return [
    {
      path: ["devices"],
      problem: "is empty, and L2 announcements go out on named devices only (Cilium 1.19 and later)",
      advice: "name the machines' links, such as [en+, eth+]",
    },
  ];
};

/** Cilium ignores links that none of its devices names, and with them all traffic of a machine that has its address there. */
const links: Rule = (values, { links: needed = [] }) => {
  const found = at(values, ["devices"]);
  const named = (Array.isArray(found) ? found.map(String) : typeof found === "string" ? found.split(/\s+/) : []).filter(
    (device) => device !== "",
  );
  if (named.length === 0) return [];
  const unseen = [...new Set(needed)].filter((link) => !named.some((device) => isDevice(device, link)));
  if (unseen.length === 0) return [];
  const wildcards = [...new Set(unseen.map((link) => link.replace(/\d.*$/, "+")))];
  return [
    {
      path: ["devices"],
      problem: `matches no ${unseen.join(" or ")}, where machines have their addresses, so that they would lose their network`,
      advice: `add ${wildcards.join(" and ")}`,
    },
  ];
};

/** Source: cilium/cilium, pkg/datapath/linux/devices_controller.go, deviceFilter.match: a plus stands for any end of a name. */
const isDevice = (device: string, link: string): boolean =>
  device.endsWith("+") ? link.startsWith(device.replace(/\++$/, "")) : link === device;

const announces: Rule = (values, { announcement }) => {
  const path = [announcement === "l2" ? "l2announcements" : "bgpControlPlane", "enabled"];
  if (isOn(values, path)) return [];
  return [{ path, problem: `is off, and network.announce has mode: ${announcement}`, advice: "write true" }];
};

const gateway: Rule = (values, { gatewayApi }) => {
  if (!isOn(values, ["gatewayAPI", "enabled"])) return [];
  const off = ["enableAlpn", "enableAppProtocol"].filter((key) => !isOn(values, ["gatewayAPI", key]));
  return [
    ...(gatewayApi
      ? []
      : [
          {
            path: ["gatewayAPI", "enabled"],
            problem: "true needs the Gateway API's definitions before Cilium starts",
            advice: "name their release as network.gatewayApi in the stack file, or write false",
          },
        ]),
    ...off.map((key) => ({
      path: ["gatewayAPI", key],
      problem: "is off, and gateways would not speak HTTP/2 to clients and services",
      advice: "write true",
    })),
  ];
};

const bothFamilies: Rule = (values, { ipv6 = false }) =>
  isOn(values, ["ipv6", "enabled"]) === ipv6
    ? []
    : [
        {
          path: ["ipv6", "enabled"],
          problem: ipv6
            ? "is off, and the stack file has network.ipv6"
            : "is on, and the stack file has no network.ipv6",
          advice: "write ipv6: ${cilium_ipv6}",
        },
      ];

const encryption: Rule = (values, { encryption: needed = "none" }) => {
  const type = isOn(values, ["encryption", "enabled"]) ? (at(values, ["encryption", "type"]) ?? "ipsec") : "none";
  if (type === needed) return [];
  const problem = `is of type ${show(type)}, and network.encryption of type ${needed}`;
  return [{ path: ["encryption"], problem, advice: "write encryption: ${cilium_encryption}" }];
};

/** Source: cilium/cilium v1.20.2, pkg/kpr/initializer/kube_proxy_replacement.go: agents do not start. */
const dispatch: Rule = (values) => {
  const mode = at(values, ["loadBalancer", "mode"]) ?? "snat";
  if (mode === "snat" || at(values, ["routingMode"]) === "native") return [];
  const geneve = (value: unknown) => value === "geneve";
  if (geneve(at(values, ["loadBalancer", "dsrDispatch"])) && geneve(at(values, ["tunnelProtocol"]))) return [];
  const advice = "write dsrDispatch: geneve beside it, and tunnelProtocol: geneve";
  return [{ path: ["loadBalancer", "mode"], problem: `${show(mode)} needs the tunnel geneve`, advice }];
};

const rules: Rule[] = [
  exactly("ipam.mode", "kubernetes", "Talos gives each node its range of pod addresses"),
  exactly("kubeProxyReplacement", true, "Hearth's machines run no kube-proxy"),
  exactly("k8sServiceHost", "localhost", "KubePrism is each machine's own way to the API"),
  exactly("k8sServicePort", 7445, "KubePrism listens there"),
  exactly("cgroup.autoMount.enabled", false, "Talos has mounted control groups already"),
  exactly("cgroup.hostRoot", "/sys/fs/cgroup", "that is where Talos has mounted control groups"),
  grants("ciliumAgent"),
  grants("cleanCiliumState"),
  exactly("bpf.hostLegacyRouting", true, "CoreDNS times out otherwise, as Talos forwards it to the host"),
  devices,
  links,
  announces,
  gateway,
  bothFamilies,
  encryption,
  dispatch,
];

const at = (values: unknown, path: string[]): unknown =>
  path.reduce<unknown>((inner, step) => (isObject(inner) ? inner[step] : undefined), values);

const isOn = (values: Values, path: string[]): boolean => String(at(values, path)) === "true";

const isObject = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const show = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** Finds a path that differs from the given one only in case. */
const misspelt = (values: unknown, [step, ...rest]: string[], before: string[] = []): string | undefined => {
  if (step === undefined || !isObject(values)) return undefined;
  if (step in values) return misspelt(values[step], rest, [...before, step]);
  const twin = Object.keys(values).find((key) => key.toLowerCase() === step.toLowerCase());
  return twin && [...before, twin, ...rest].join(".");
};
