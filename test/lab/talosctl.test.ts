import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { eventually } from "../support/lab-process.ts";
import { labPrograms } from "../support/lab-programs.ts";
import { type Machine, type Result, type TalosLab, talosLab } from "../support/talos.ts";

const vip = "127.80.0.100";
const layer2 = { apiVersion: "v1alpha1", kind: "Layer2VIPConfig", name: vip, link: "eth0" };
const watchdog = { apiVersion: "v1alpha1", kind: "WatchdogTimerConfig", device: "/dev/watchdog0", timeout: "2m0s" };
const worldly = {
  machine: { sysctls: { "net.core.somaxconn": "65535" }, kernel: { modules: [{ name: "br_netfilter" }] } },
  cluster: { allowSchedulingOnControlPlanes: true },
};

/** What a command answers: a pattern if it succeeds, or the words of a refusal with the file of Talos v1.13 that has them. */
type Row = [command: string, answer: RegExp] | [command: string, refusal: string, source: string];

const server = "internal/app/machined/internal/server/v1alpha1";

/** Commands that ask a machine, in the order in which they run. DIR is a folder of the test. */
const rows: Row[] = [
  ["version", /Tag: +v1\.13\.9[\s\S]*RBAC/],
  ["health --wait-timeout 60s --server=false", /kubelet to be healthy: OK[\s\S]*schedulable: OK/],
  ["get members", /den-test-cp01/],
  ["services", /etcd +Running +OK/],
  ["service etcd", /STATE +Running[\s\S]*Health check successful/],
  ["service nothing", 'service "nothing" is not registered', "cmd/talosctl/cmd/talos/service.go"],
  [
    "service etcd restart",
    'service "etcd" doesn\'t support restart operation via API',
    "internal/app/machined/pkg/system/system.go",
  ],
  ["containers", /system +apid/],
  ["containers -k", /NODE/],
  ["stats", /apid +\d/],
  ["stats -k", /NODE/],
  ["restart nothing", 'container "nothing" not found', `${server}/v1alpha1_server.go`],
  ["restart apid", /^\s*$/],
  ["processes", / 1 +S .* init/],
  ["cgroups --preset memory", /kubelet/],
  ["cgroups --preset cpu", /apid/],
  ["cgroups --preset process", /system/],
  ["memory", /4096/],
  ["mounts", /\/dev\/sda6 .*\/var/],
  ["dmesg", /machine configuration/],
  ["logs etcd --tail 3", /level/],
  ["logs nothing", "nothing", `${server}/v1alpha1_server.go`],
  ["netstat -l", /50000/],
  ["netstat --programs --listening", /50000.*apid/],
  ["time", /time\.cloudflare\.com/],
  ["time --check pool.ntp.org", /pool\.ntp\.org/],
  ["list /etc", /os-release/],
  ["list -l /sys/fs/cgroup", /system/],
  ["list /nothing", "no such file or directory", "pkg/archiver/walker.go"],
  ["usage /etc", /\d+ .*/],
  ["read /etc/os-release", /VERSION_ID=v1\.13\.9/],
  ["read /etc", "path must be a regular file", `${server}/v1alpha1_server.go`],
  ["copy /etc DIR/copied", /^\s*$/],
  ["copy /nothing DIR/none", "no such file or directory", "pkg/archiver/archiver.go"],
  ["image list", /registry\.k8s\.io\/pause/],
  ["image pull docker.io/library/alpine:3.22", /alpine|^\s*$/],
  ["image remove docker.io/library/alpine:3.22", /alpine|^\s*$/],
  ["image remove docker.io/library/alpine:3.22", "not found", "internal/app/images/images.go"],
  ["image pull docker.io/library/missing:1", "not found", "internal/app/images/images.go"],
  // The client prints what the machine refuses, and ends well. Source: internal/app/debug/debug.go.
  ["debug docker.io/library/alpine:3.22 --args /bin/sh", /executable file not found/],
  ["debug docker.io/library/missing:1", "not found", "internal/app/debug/debug.go"],
  ["inspect dependencies", /digraph[\s\S]*network\.RouteStatusController/],
  ["inspect dependencies --with-resources", /RouteStatuses\.net\.talos\.dev/],
  ["pcap -i eth0 --duration 2s", /ARP/],
  ["pcap -i eth0 --duration 1s -o DIR/eth0.pcap", /^\s*$/],
  ["pcap -i eth9 --duration 1s", 'interface "eth9" not found', `${server}/v1alpha1_server.go`],
  ["meta write 10 kept", /^\s*$/],
  ["meta delete 10", /^\s*$/],
  ["meta delete 10", "meta key not found", `${server}/v1alpha1_meta.go`],
  ["wipe disk sda", 'blockdevice "sda" is in use', "internal/app/storaged/server.go"],
  ["wipe disk sdz", 'blockdevice "sdz" not found', "internal/app/storaged/server.go"],
  ["kubeconfig DIR/kubeconfig", /^\s*$/],
  ["config new DIR/reader --roles os:reader", /^\s*$/],
  ["etcd members", /https:\/\/127\.80\.0\.11:2380/],
  ["etcd status", /3\.6/],
  ["etcd alarm list", /^\s*$|NODE/],
  ["etcd alarm disarm", /^\s*$|NODE/],
  ["etcd defrag", /^\s*$|NODE/],
  ["etcd snapshot DIR/etcd.snapshot", /etcd snapshot saved/],
  [
    "etcd downgrade validate 3.4",
    "etcd downgrade is only supported to 3.5 and later versions",
    `${server}/v1alpha1_server.go`,
  ],
  ["etcd downgrade validate 3.5", /NODE|3\./],
  ["etcd downgrade enable 3.5", /NODE|3\./],
  ["etcd downgrade cancel", /NODE|3\./],
  ["etcd forfeit-leadership", "cannot forfeit leadership, only one member", "internal/pkg/etcd/etcd.go"],
  ["etcd remove-member 1234", "etcdserver: member not found", "internal/pkg/etcd/etcd.go"],
  ["etcd leave", "failed to leave cluster", `${server}/v1alpha1_server.go`],
  ["bootstrap", "etcd data directory is not empty", `${server}/v1alpha1_server.go`],
  ["apply-config -f DIR/controlplane.yaml --dry-run", /No changes/],
  ['patch machineconfig --dry-run -p {"machine":{"nodeLabels":{"example.org/rack":"1"}}}', /example\.org\/rack/],
  ["edit machineconfig", /no changes/i],
  ["rollback", "previous UKI not found", `${server}/v1alpha1_server.go`],
  ["upgrade --image ghcr.io/siderolabs/missing:v1.13.9", "not found", "internal/app/images/images.go"],
  ["upgrade-k8s --dry-run --to 1.36.4", /Kubernetes version/],
  // The client goes on with the configuration that a dry run does not write.
  ["rotate-ca --dry-run", "failed to determine endpoints", "cmd/talosctl/cmd/talos/rotate-ca.go"],
  ["rotate-ca --dry-run --talos=false", /Dry-run mode enabled, no changes were made/],
  ["support -O DIR/support.zip", /Support bundle is written/],
];

/** Commands that take the machine out of service or end in a terminal. Other tests run them: the file names the test. */
const elsewhere: Record<string, string> = {
  reboot: "talos-machine.test.ts",
  reset: "talos-machine.test.ts",
  shutdown: "talos-machine.test.ts",
  dashboard: "talosctl.test.ts",
  events: "talosctl.test.ts",
  get: "talosctl.test.ts",
};

/** Commands that ask no machine of the cluster. */
const offline =
  /^(gen |machineconfig |cluster |validate$|inject |config (?!new)|image (cache-|k8s-bundle|talos-bundle)|conformance )/;

/** Kinds with what a control plane's list of them shows, by the alias that people type. */
const kinds: Record<string, RegExp> = {
  addresses: /eth0\/127\.80\.0\.11\/24/,
  addressspecs: /eth0\/127\.80\.0\.11\/24/,
  adjtimestatus: /node/,
  admissioncontrolconfig: /admission-control/,
  affiliates: /den-test-cp01/,
  apiserverconfig: /kube-apiserver/,
  apiserviceconfig: /:50000/,
  auditpolicyconfig: /audit-policy/,
  blockdevices: /sda/,
  bootedentry: /Talos-v1\.13\.9/,
  bootstrapmanifestsconfig: /manifests/,
  cpustats: /latest/,
  devicesstatus: /devices/,
  discoveredvolumes: /EPHEMERAL/,
  discoveryconfigs: /cluster/,
  disks: /sda/,
  etcdconfigs: /etcd/,
  etcdmembers: /local/,
  etcdspecs: /den-test-cp01/,
  etcfilespecs: /resolv\.conf/,
  etcfilestatuses: /hosts/,
  ethernetstatus: /eth0/,
  extensions: /NODE/,
  extramanifestsconfig: /extra-manifests/,
  hardwareaddresses: /eth0/,
  hostdnsconfig: /config/,
  hostnamespecs: /den-test-cp01/,
  hostnamestatus: /den-test-cp01/,
  imagecacheconfig: /image-cache/,
  kernelcmdline: /talos\.platform/,
  kernelmodulespecs: /br_netfilter/,
  kernelparamdefaultspecs: /ip_forward/,
  kernelparamspecs: /somaxconn/,
  kernelparamstatus: /somaxconn +.*65535/,
  kubeletconfigs: /kubelet/,
  kubeletspecs: /kubelet/,
  kubeprismconfigs: /7445/,
  kubeprismendpoints: /localhost/,
  kubernetesaccessconfigs: /NODE/,
  linkspecs: /eth0/,
  links: /eth0/,
  machineconfig: /v1alpha1/,
  machinestatus: /running/,
  machinetype: /controlplane/,
  manifests: /00-kubelet-bootstrapping-token/,
  manifeststatus: /manifests/,
  members: /den-test-cp01/,
  memorystats: /latest/,
  metaloads: /done: true/,
  mounts: /EPHEMERAL/,
  nodeaddress: /127\.80\.0\.11/,
  nodeaddresssortalgorithms: /default/,
  nodeipconfigs: /kubelet/,
  nodename: /den-test-cp01/,
  osrootsecret: /os/,
  pkistatuses: /etcd/,
  pcidevices: /Virtio network device/,
  platformmetadata: /metal/,
  processors: /CPU-0/,
  resolvers: /127\.80\.0\.1/,
  resolverspecs: /127\.80\.0\.1/,
  routes: /eth0/,
  routespecs: /eth0/,
  secretstatuses: /static-pods/,
  securitystate: /securitystate/,
  services: /etcd/,
  staticpods: /kube-apiserver/,
  staticpodstatus: /kube-apiserver/,
  systemdisk: /sda/,
  systeminformation: /Hearth lab machine/,
  timeservers: /cloudflare/,
  timeserverspecs: /cloudflare/,
  timestatus: /true/,
  userdiskconfigstatuses: /true/,
  version: /v1\.13\.9/,
  volumestatus: /EPHEMERAL/,
  watchdogtimerconfigs: /watchdog0/,
  watchdogtimerstatus: /watchdog0/,
};

describe("talosctl on the lab's machines", () => {
  let lab: TalosLab;
  let first: Machine;
  let talosctl: string;
  const path = (...elements: string[]): string => join(lab.folder.dir, ...elements);
  const on = (...args: string[]): Promise<Result> => lab.tryTalosctl("-e", first.address, "-n", first.address, ...args);

  /** Prints the commands that `talosctl COMMAND --help` lists, without those that only group others. */
  const commands = async (...words: string[]): Promise<string[]> => {
    const { stdout } = await promisify(execFile)(talosctl, [...words, "--help"]);
    if (!stdout.includes(`${["talosctl", ...words].join(" ")} [command]`)) return [words.join(" ")];
    const [listed = ""] = (stdout.split("Usage:")[1] ?? "").split("\nFlags:");
    const names = [...listed.matchAll(/^ {2}([a-z0-9-]+) +\S/gm)].map(([, name = ""]) => name);
    const below = names.filter((name) => !["help", "completion", "talosctl"].includes(name));
    const all: string[] = [];
    for (const name of below) all.push(...(await commands(...words, name)));
    return all;
  };

  before(async () => {
    ({ talosctl = "talosctl" } = await labPrograms("talosctl"));
    lab = await talosLab(vip);
    first = await lab.machine("cp01", "127.80.0.11", "metal");
    await first.start();
    const file = await lab.configuration("controlplane", "den-test-cp01", layer2, watchdog, worldly);
    await writeFile(path("controlplane.yaml"), await readFile(file));
    await writeFile(path("missing-images"), "missing:\n");
    expect((await lab.tryTalosctl("-n", first.address, "apply-config", "-f", file, "--insecure")).code).to.equal(0);
    await eventually("etcd can be bootstrapped", async () => (await on("bootstrap")).code === 0, 60);
    const kubectl = await eventually("there is a kubeconfig", () => lab.kubectl(first.address), 30);
    await eventually("the API server answers", async () => (await kubectl("get", "--raw", "/readyz")) === "ok", 90);
    await eventually("the node is registered", () => kubectl("get", "node", "den-test-cp01"), 60);
    await mkdir(path("copied"), { recursive: true });
    process.env.EDITOR = "true";
  });

  after(() => lab.stop());

  it("has a row for each command that talks to a machine", async () => {
    const all = (await commands()).filter((command) => !offline.test(command));
    expect(all.length).to.be.greaterThan(50);
    const isTested = (command: string): boolean =>
      command in elsewhere || rows.some(([row]) => row.replace(/^services/, "service").startsWith(command));
    expect(all.filter((command) => !isTested(command))).to.deep.equal([]);
  });

  for (const [command, answer, source] of rows) {
    it(source === undefined ? `answers ${command}` : `refuses ${command}, as ${source} does`, async () => {
      const args = command.split(" ").map((word) => word.replace("DIR", lab.folder.dir));
      const { code, text } = await on(...args);
      expect(text).to.not.contain("Unimplemented");
      if (typeof answer === "string") {
        expect(text).to.contain(answer);
        expect(code, text).to.not.equal(0);
      } else {
        expect(text).to.match(answer);
        expect(code, text).to.equal(0);
      }
    });
  }

  it("wrote the files that were asked for", async () => {
    expect(await readFile(path("copied", "os-release"), "utf8")).to.contain("v1.13.9");
    expect((await readFile(path("eth0.pcap"))).subarray(0, 4).toString("hex")).to.equal("d4c3b2a1");
    expect((await stat(path("etcd.snapshot"))).size).to.be.greaterThan(10_000);
    expect((await stat(path("support.zip"))).size).to.be.greaterThan(50_000);
  });

  it("lists every kind of resource that Talos registers", async () => {
    const { text } = await on("get", "rd", "-o", "jsonpath={.spec.type}");
    const all = text.split("\n").filter((line) => line.endsWith(".talos.dev"));
    expect(all.length).to.be.greaterThan(160);
    const wrong: string[] = [];
    for (const kind of all) {
      const { code, text: said } = await on("get", kind);
      if (code !== 0) wrong.push(`${kind}: ${said}`);
    }
    expect(wrong.join("\n")).to.equal("");
  });

  it("shows in each kind what the machine has", async () => {
    const wrong: string[] = [];
    for (const [kind, shown] of Object.entries(kinds)) {
      const { code, text } = await on("get", kind);
      const details = await on("get", kind, "-o", "yaml");
      if (code !== 0 || !shown.test(text + details.text)) wrong.push(`${kind}: ${code} ${text}`);
    }
    expect(wrong.join("\n")).to.equal("");
  });

  it("streams events until it is ended", async () => {
    const args = ["--talosconfig", path("generated", "talosconfig"), "-e", first.address, "-n", first.address];
    const streaming = spawn(talosctl, [...args, "events", "--tail", "-1"]);
    let said = "";
    streaming.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const closed = once(streaming, "close");
    await eventually("past events are shown", () => Promise.resolve(said.includes("machine.MachineStatusEvent")), 30);
    streaming.kill("SIGINT");
    await closed;
  });

  it("draws the dashboard until it is left", async () => {
    const command = `${talosctl} --talosconfig ${path("generated", "talosconfig")} -e ${first.address} -n ${first.address} dashboard -d 1s`;
    const drawn = spawn("script", ["-qefc", command, "/dev/null"], {
      env: { ...process.env, TERM: "xterm", COLUMNS: "160", LINES: "50" },
    });
    let screen = "";
    drawn.stdout.on("data", (chunk: Buffer) => (screen += chunk.toString()));
    drawn.stderr.on("data", (chunk: Buffer) => (screen += chunk.toString()));
    const closed = once(drawn, "close");
    await eventually("the dashboard shows the machine", () => Promise.resolve(screen.includes("den-test-cp01")), 30);
    drawn.stdin.write("\u0003");
    const [code] = (await closed) as [number];
    expect(code, screen.slice(-500)).to.equal(0);
    expect(screen).to.not.contain("Unimplemented");
  });
});
