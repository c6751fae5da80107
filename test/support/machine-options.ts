import type { ClusterSettings, MachineSettings } from "../../components/talos/machine-config.ts";

/** A variant of a machine's configuration. */
export interface MachineOption {
  what: string;
  machine?: Partial<MachineSettings>;
  cluster?: Partial<ClusterSettings>;
}

const bond = {
  mode: "802.3ad" as const,
  macs: ["BC:24:11:20:00:12"],
  xmitHashPolicy: "layer3+4",
  lacpRate: "fast" as const,
};
/** An authority that signed itself, for tests only. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIUO+cCuI36mfNaMaUetSu6KRgUTwMwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwESG9tZTAgFw0yNjExMjgyMzUxMDBaGA8yMTI2MTEwNDIzNTEw
MFowDzENMAsGA1UEAwwESG9tZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHA/
ImgeyYBy5Jtff06RmNnWbr4ZKTFSJmJfKY8gKWKI/LrJ3V/EQBQMIpXsJm3TYJNE
9uBV4uefWFwnQnNuC5yjUzBRMB0GA1UdDgQWBBTzI0d1O+ZXNc/6cRKc9WCMW69K
pDAfBgNVHSMEGDAWgBTzI0d1O+ZXNc/6cRKc9WCMW69KpDAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCIBm9fUg6uNLgX6OwMfNBZDpD9Puxwaa8udrU
w7GV81u8AiEA0DCJUGTHRgbu0IMdwxsNZcIyFOkcVoEREY68H/rI23g=
-----END CERTIFICATE-----
`;
const mac = "BC:24:11:20:00:11";

/** Every option of a machine's configuration, each at least once. */
export const machineOptions: MachineOption[] = [
  { what: "plain" },
  { what: "an address from DHCP", machine: { link: { mac, dhcp: true } } },
  { what: "a VLAN and large packets", machine: { link: { mac, dhcp: false, vlan: 20, mtu: 9000 } } },
  { what: "a bond", machine: { link: { mac, dhcp: false, bond } } },
  { what: "a VLAN on a bond, with DHCP", machine: { link: { mac, dhcp: true, bond, vlan: 20 } } },
  {
    what: "a bond of one link, further addresses and routes",
    machine: {
      link: {
        mac,
        dhcp: false,
        bond: { mode: "active-backup", macs: [] },
        addresses: ["192.168.7.11/24", "fd00:10:20::11/64"],
        routes: [{ to: "10.60.0.0/16", via: "10.20.0.2", metric: 512 }, { via: "fd00:10:20::1" }],
      },
    },
  },
  {
    what: "networks on hardware of their own, with a bond, a VLAN and DHCP",
    machine: {
      link: {
        mac,
        dhcp: false,
        further: {
          storage: {
            mac: "BC:24:11:50:00:11",
            dhcp: false,
            mtu: 9000,
            bond: { mode: "802.3ad", macs: ["BC:24:11:50:00:12"] },
            addresses: ["10.50.0.11/24", "fd00:10:50::11/64"],
            routes: [{ to: "10.51.0.0/24", via: "10.50.0.1" }],
          },
          backup: { mac: "BC:24:11:60:00:11", dhcp: true, vlan: 60 },
          cameras: { mac: "BC:24:11:70:00:11", dhcp: false, addresses: ["10.70.0.11/24"] },
        },
      },
    },
  },
  {
    what: "networks that are VLANs on its own links",
    machine: {
      link: {
        mac,
        dhcp: false,
        bond,
        vlan: 20,
        mtu: 9000,
        further: {
          storage: { dhcp: false, vlan: 50, mtu: 9000, addresses: ["10.50.0.11/24"] },
          backup: { dhcp: true, vlan: 60 },
        },
      },
    },
  },
  {
    what: "addresses of both families",
    machine: {
      address6: "fd00:10:20::11",
      link: { mac, dhcp: false, addresses: ["fd00:10:20::11/64"], routes: [{ via: "fd00:10:20::1" }] },
    },
    cluster: {
      nameservers: ["10.20.0.1", "fd00:10:20::1"],
      ipv6: {
        subnet: "fd00:10:20::/64",
        podCidr: "fd00:10:244::/48",
        serviceCidr: "fd00:10:96::/112",
        vip: "fd00:10:20::10",
      },
    },
  },
  { what: "no shared address", cluster: { vip: undefined, endpointHost: "k8s.example.com" } },
  {
    what: "a disk selector",
    machine: { install: { diskSelector: { size: ">= 100GB", type: "nvme", model: "Samsung*" } } },
  },
  { what: "disks opened by the node's identifier", machine: { encryption: "nodeID" } },
  { what: "disks opened by the TPM", machine: { encryption: "tpm" } },
  {
    what: "SecureBoot with TPM, and volumes of its own",
    machine: {
      encryption: "tpm",
      secureBoot: true,
      installerImage: "factory.talos.dev/metal-installer-secureboot/abc:v1.13.9",
      ephemeral: { maxSize: "100GiB", grow: false },
      volumes: { data: { disk: 'disk.transport == "nvme" && !system_disk', minSize: "10GiB", filesystem: "xfs" } },
    },
  },
  {
    what: "kernel modules and parameters",
    machine: {
      kernelModules: [
        { name: "drbd", parameters: ["usermode_helper=disabled"] },
        { name: "drbd_transport_tcp", parameters: [] },
      ],
      sysctls: { "vm.max_map_count": "262144" },
    },
    cluster: { sysctls: { "net.core.rmem_max": "2500000" } },
  },
  {
    what: "labels, annotations and taints",
    machine: {
      labels: { "hearth.dev/storage": "true" },
      annotations: { "hearth.dev/rack": "left" },
      taints: { dedicated: "storage:NoSchedule", slow: "PreferNoSchedule" },
    },
  },
  {
    what: "a kubelet whose certificate the cluster signs",
    machine: { taints: { dedicated: "storage:NoSchedule" } },
    cluster: { kubeletCertificates: "cluster" },
  },
  {
    what: "services of extensions",
    machine: {
      services: {
        tailscale: { routes: ["10.20.0.0/24"], acceptRoutes: true, acceptDns: false, tags: ["tag:talos", "tag:home"] },
        netbird: { managementUrl: "https://netbird.example.com" },
        zerotier: { networks: ["8056c2e21c000001", "8056c2e21c000002"] },
        cloudflared: { metrics: "localhost:2000" },
        newt: { endpoint: "https://pangolin.example.com", id: "2ix2t8xk22ubpfy" },
        "nut-client": { ups: "ups", host: "nas.example.com", user: "monuser" },
        lldpd: { configuration: "configure lldp portidsubtype ifname\n" },
        bird2: { configuration: "log stderr all;\nprotocol device {}\n" },
        multipathd: { configuration: "defaults {\n  find_multipaths yes\n}\n" },
        nebula: { configuration: "pki:\n  ca: /usr/local/etc/nebula/ca.crt\n" },
      },
    },
  },
  {
    what: "a firewall",
    cluster: {
      firewall: {
        administrators: ["10.20.0.0/24", "10.8.0.0/24"],
        rules: {
          ceph: { ports: [3300, "6800-7568"], protocol: "tcp", from: ["10.50.0.0/24"] },
          snmp: { ports: [161], protocol: "udp", from: ["10.20.0.8/32"], role: "worker" },
        },
        ...{ tunnel: "vxlan", wireguard: false, gateways: false },
      },
    },
  },
  {
    what: "a firewall for both families, with WireGuard, Geneve and gateways",
    cluster: {
      firewall: {
        ...{ administrators: ["0.0.0.0/0", "::/0"], rules: {} },
        ...{ tunnel: "geneve", wireguard: true, gateways: true },
      },
      ipv6: { subnet: "fd00:10:20::/64", podCidr: "fd00:10:244::/48", serviceCidr: "fd00:10:96::/112" },
    },
  },
  {
    what: "mirrors of registries",
    cluster: {
      registryMirrors: {
        "docker.io": { endpoints: ["https://mirror.example.com/docker"], skipFallback: true, overridePath: true },
        "ghcr.io": {
          endpoints: ["http://10.20.0.7:5000", "https://ghcr.io"],
          skipFallback: false,
          overridePath: false,
        },
      },
    },
  },
  {
    what: "sign-in by OpenID Connect, and rules of the audit log",
    cluster: {
      oidc: {
        ...{ issuer: "https://id.example.com/realms/home", clientId: "kubernetes", prefix: "oidc:" },
        ...{ usernameClaim: "email", groupsClaim: "groups", requiredClaims: { hd: "example.com" } },
      },
      auditPolicy: [
        { level: "None", verbs: ["get", "list", "watch"], users: undefined },
        { level: "Request", resources: [{ group: "", resources: ["secrets"] }] },
      ],
    },
  },
  {
    what: "what its surroundings are and learn",
    cluster: {
      trustedRoots: { home: certificate },
      staticHosts: { "10.20.0.8": ["nas.example.com", "nas"] },
      logDestinations: [{ url: "udp://10.20.0.8:6051", tags: { site: "den" } }],
      kernelLogDestinations: { nas: "tcp://10.20.0.8:6050" },
      watchdog: { device: "/dev/watchdog0", timeout: "1m" },
      imageCache: true,
    },
  },
  {
    what: "workloads on control planes, exempt namespaces, and access to the Talos API",
    cluster: {
      scheduleOnControlPlanes: true,
      podSecurity: { level: "baseline", exemptNamespaces: ["kube-system", "storage"] },
      auditLevel: "RequestResponse",
      talosApiAccess: { namespaces: ["etcd-backup"], roles: ["os:etcd:backup"] },
    },
  },
  {
    what: "the host's resolver, further names, and no discovery",
    cluster: { forwardDnsToHost: true, certSANs: ["k8s.example.com"], discovery: false },
  },
  {
    what: "patches of one's own",
    machine: { patches: [{ machine: { kubelet: { extraConfig: { maxPods: 250 } } } }] },
    cluster: {
      patches: {
        all: [{ apiVersion: "v1alpha1", kind: "KmsgLogConfig", name: "remote", url: "udp://10.20.0.8:514" }],
        controlPlanes: [{ cluster: { controllerManager: { extraArgs: { "bind-address": "0.0.0.0" } } } }],
        workers: [{ machine: { sysctls: { "vm.nr_hugepages": "1024" } } }],
      },
    },
  },
];
