import { existsSync } from "node:fs";
import { mkdir, readFile, rename } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";
import { execa } from "execa";

import { LabCheckout } from "../support/lab-checkout.ts";
import { LabFaults, type Fault, type Vm } from "../support/lab-faults.ts";
import { eventually } from "../support/lab-process.ts";
import { secretsOf } from "../support/leaks.ts";

const octet = 66;
const runs = 44;
/** HEARTH_FUZZ_SEED repeats the runs of a failure, and HEARTH_FUZZ_RUN only one of them. */
const seed = Number(process.env.HEARTH_FUZZ_SEED ?? new Date().toISOString().slice(0, 10).replaceAll("-", ""));
const only = process.env.HEARTH_FUZZ_RUN;

/** Random numbers below 1 that follow from a seed: Mulberry32. */
const randomBy = (start: number) => {
  let state = start >>> 0;
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

const vm = (name: string, last: number, id: number): Vm => ({
  name: `den-dev-${name}`,
  address: `127.${octet.toString()}.0.${last.toString()}`,
  id: id.toString(),
});
const planes = [vm("cp01", 11, 2011), vm("cp02", 12, 2012), vm("cp03", 13, 2013)];
const worker = vm("wk01", 21, 2021);

/** A fault that is chosen before there is a lab. */
interface Chosen {
  title: string;
  /** The machine or the service that has it. */
  of: string;
  make: (lab: LabFaults) => Fault;
}

/** What happens in one run. */
interface Run {
  title: string;
  faults: Chosen[];
  /** What is lost for good before it: the state, or the worker's machine. */
  loses?: "state" | "machine" | undefined;
  args: string[];
  /** When the faults end, in milliseconds from the beginning; undefined for after the run. */
  endsAfter?: number | undefined;
  /** When the rebuild is killed. */
  killedAfter?: number | undefined;
}

type One = <T>(all: readonly T[]) => T;

const onOne =
  (machines: readonly Vm[], title: (name: string) => string, make: (lab: LabFaults, vm: Vm) => Fault) =>
  (one: One): Chosen => {
    const vm = one(machines);
    return { title: title(vm.name), of: vm.name, make: (lab) => make(lab, vm) };
  };

const ofService =
  (service: "proxmox" | "cloudflare") =>
  (one: One): Chosen => {
    const how = one(["drops", "fails", "refuses", "is slow"] as const);
    return { title: `${service} ${how}`, of: service, make: (lab) => lab.service(service, how) };
  };

const all = [...planes, worker];

/** Every kind of fault. */
const kinds: ((one: One) => Chosen)[] = [
  onOne(
    all,
    (name) => `${name} frozen`,
    (lab, vm) => lab.frozen(vm),
  ),
  onOne(
    all,
    (name) => `${name} slow`,
    (lab, vm) => lab.slow(vm),
  ),
  onOne(
    all,
    (name) => `${name} off`,
    (lab, vm) => lab.off(vm),
  ),
  onOne(
    all,
    (name) => `${name} rebooting`,
    (lab, vm) => lab.rebooting(vm),
  ),
  onOne(
    planes,
    (name) => `etcd of ${name} stuck`,
    (lab, vm) => lab.stuck(vm, "etcd"),
  ),
  onOne(
    planes,
    (name) => `etcd of ${name} crashed`,
    (lab, vm) => lab.crashed(vm),
  ),
  onOne(
    planes,
    (name) => `API of ${name} stuck`,
    (lab, vm) => lab.stuck(vm, "kube-apiserver"),
  ),
  onOne(
    planes,
    (name) => `clock of ${name} ahead`,
    (lab, vm) => lab.clock(vm, "26h"),
  ),
  onOne(
    planes,
    (name) => `clock of ${name} behind`,
    (lab, vm) => lab.clock(vm, "-50h"),
  ),
  ofService("proxmox"),
  ofService("cloudflare"),
];

const runsBy = (random: () => number): Run[] => {
  const one: One = (each) => {
    const chosen = each[Math.floor(random() * each.length)];
    if (chosen === undefined) throw new Error("There is nothing to choose from");
    return chosen;
  };
  return Array.from({ length: runs }, (_, index) => {
    // Every kind is there, whatever the seed.
    const first = kinds[index % kinds.length] ?? one(kinds);
    const loses = index % 9 === 4 ? "state" : index % 12 === 7 ? "machine" : undefined;
    const drawn = [first, ...Array.from({ length: Math.floor(random() * 3) }, () => one(kinds))].map((kind) =>
      kind(one),
    );
    // One fault each: a machine that reboots has no program that can be stuck, and one that is lost has nothing.
    const distinct = [...new Map(drawn.map((fault) => [fault.of, fault])).values()];
    // Machines first: Proxmox has to answer to turn one off, and on again afterwards.
    const isService = ({ of }: Chosen): boolean => of === "proxmox" || of === "cloudflare";
    const faults = distinct
      .filter((fault) => loses !== "machine" || fault.of !== worker.name)
      .toSorted((a, b) => Number(isService(a)) - Number(isService(b)));
    const args = [
      ["--wait", one(["0", "3", "8"])],
      random() < 0.4 ? ["--etcd", "etcd.db"] : [],
      loses === "state" ? ["--from", ".lab/dev/escrow.sops.yaml"] : [],
      random() < 0.15 ? ["--case", one(["machines", "all", "state"])] : [],
      random() < 0.15 ? ["--plan"] : [],
    ].flat();
    const endsAfter = random() < 0.4 ? 2000 + Math.floor(random() * 8000) : undefined;
    const killedAfter = random() < 0.15 ? 3000 + Math.floor(random() * 9000) : undefined;
    const title = [
      faults.map((fault) => fault.title).join(" and "),
      ...(endsAfter === undefined ? [] : [`for ${(endsAfter / 1000).toFixed(1)} s`]),
      ...(loses === undefined ? [] : [`the ${loses} lost`]),
      args.join(" "),
      ...(killedAfter === undefined ? [] : [`killed after ${(killedAfter / 1000).toFixed(1)} s`]),
    ].join(", ");
    return { title, faults, loses, args, endsAfter, killedAfter };
  });
};

/** A rebuild meets whatever may happen while a cluster runs. It may refuse; it may destroy nothing, and says nothing untrue. */
describe(`npx hearth rebuild over a live cluster with three control planes (seed ${seed.toString()})`, () => {
  let checkout: LabCheckout;
  let lab: LabFaults;
  let secrets: string[];
  let wholeBefore: unknown;

  const shell = async (command: string): Promise<string> => {
    const { exitCode, stdout, all } = await checkout.shell(command);
    expect(exitCode, `${command}: ${String(all)}`).to.equal(0);
    return String(stdout);
  };

  const rebuild = (...args: string[]) =>
    execa(
      "node",
      ["--import", "tsx", "operations/main.ts", "rebuild", "dev", "--lab", "--yes", "--confirm", "dev", ...args],
      {
        ...{ cwd: checkout.path, all: true, reject: false },
      },
    );

  const json = async <T>(...path: string[]): Promise<T> =>
    JSON.parse(await readFile(checkout.file(...path), "utf8")) as T;

  /** Everything that has to outlive all faults: the cluster, its volumes, its machines' disks, its edge and its keys. */
  const whole = async () => {
    interface Cloudflare {
      records: Record<string, { type: string; name: string; content: string }>;
      tunnels: Record<string, { name: string; secret: string; deleted_at: string | null }>;
    }
    const { records, tunnels } = await json<Cloudflare>(".lab/dev/cloudflare/state.json");
    const { volumes } = await json<{
      volumes: Record<string, { vmid?: number; ctime: number; size: number }>;
    }>(".lab/dev/proxmox/state.json");
    const objects = "namespace/kube-system configmap/sentinel persistentvolumeclaim/sentinel persistentvolume/sentinel";
    const [node] = planes;
    const rows = (await shell(`talosctl -n ${node?.address ?? ""} -e ${node?.address ?? ""} etcd members`))
      .split("\n")
      .slice(1);
    return {
      objects: await shell(
        `for each in ${objects}; do kubectl get $each -n default -o jsonpath='{.kind} {.metadata.uid} {.metadata.deletionTimestamp} {.data}{"\\n"}'; done`,
      ),
      members: rows
        .map((row) => row.trim().split(/\s+/))
        .map(([, id, name, , , isLearner]) => `${name} ${id} ${isLearner}`)
        .sort(),
      disks: Object.entries(volumes)
        .filter(([, { vmid }]) => vmid !== undefined && vmid.toString() !== worker.id)
        .map(([id, { ctime, size }]) => `${id} ${ctime} ${size}`)
        .sort(),
      records: Object.entries(records)
        .map(([id, { type, name, content }]) => `${id} ${type} ${name} ${content}`)
        .sort(),
      tunnels: Object.entries(tunnels)
        .map(([id, { name, secret, deleted_at: deleted }]) => `${id} ${name} ${secret} ${deleted}`)
        .sort(),
      keys: await shell("pulumi stack output escrow"),
    };
  };

  before(async () => {
    checkout = await LabCheckout.createSmall(octet);
    await checkout.edit("Pulumi.dev.yaml", threePlanes);
    await checkout.commit("Have three control planes");
    const { exitCode, all } = await checkout.lab();
    expect(exitCode, all).to.equal(0);
    lab = await LabFaults.of(checkout);
    await shell("npx hearth escrow dev");
    await shell(`kubectl apply -f - <<'EOF'\n${sentinels}\nEOF`);
    const [node] = planes;
    await shell(`talosctl -n ${node?.address ?? ""} -e ${node?.address ?? ""} etcd snapshot etcd.db`);
    secrets = secretsOf(JSON.parse(await shell("pulumi stack export --show-secrets")));
    wholeBefore = await whole();
  });

  after(() => checkout.remove());

  /** What a message says is true of the faults. */
  const expectTrue = (
    said: string,
    { faults, loses, args }: { faults: Fault[]; loses: Run["loses"]; args: string[] },
  ): void => {
    expect(said)
      .not.to.match(/^ +at .*:\d+:\d+/m)
      .and.not.match(/TypeError|\[object |socket hang up|undefined/);
    expect(secrets.filter((secret) => said.includes(secret))).to.deep.equal([]);
    const has = (of: string, ...kinds: Fault["kind"][]) =>
      faults.some((fault) => fault.of === of && kinds.includes(fault.kind));
    const machine = /^ {2}(den-dev-\w+): (.*)$/gm;
    for (const [, name = "", what = ""] of said.matchAll(machine)) {
      if (what.startsWith("does not answer")) {
        expect(
          has(name, "frozen", "slow", "off", "rebooting", "clock") || (loses === "machine" && name === worker.name),
          `${name}: ${what}`,
        ).to.equal(true);
      }
      if (what.startsWith("answers with a certificate")) expect(has(name, "clock"), `${name}: ${what}`).to.equal(true);
      if (what.includes("and is stopped"))
        expect(has(name, "off", "clock", "rebooting"), `${name}: ${what}`).to.equal(true);
      if (what.includes("is unknown")) expect(has("proxmox", "service"), `${name}: ${what}`).to.equal(true);
    }
    if (/Cloudflare (refuses|does not answer)/.test(said)) expect(has("cloudflare", "service"), said).to.equal(true);
    for (const [, made = ""] of said.matchAll(/made anew +(.*)/g)) {
      const names = made.match(/den-dev-(cp|wk)\d+/g) ?? [];
      expect(
        names.filter((name) => loses !== "machine" || name !== worker.name),
        made,
      ).to.deep.equal([]);
    }
    expect(said)
      .not.to.contain("etcd wiped")
      .and.not.match(/This (wipes|forgets)/);
    if (said.includes("The state is lost") || said.includes("State and machines are lost"))
      expect(loses, said).to.equal("state");
    if (said.includes("Machines are lost")) expect(loses, said).to.equal("machine");
    if (said.includes("everything runs")) expect(args).not.to.contain("machine");
  };

  for (const [index, { title, faults: chosen, loses, args, endsAfter, killedAfter }] of runsBy(
    randomBy(seed),
  ).entries()) {
    const test = only === undefined || Number(only) === index ? it : it.skip;
    test(`${index.toString()}: ${title}`, async () => {
      const faults = chosen.map(({ make }) => make(lab));
      if (loses === "machine") expect((await checkout.lab("lose", "dev", worker.name)).exitCode).to.equal(0);
      if (loses === "state") {
        const state = checkout.file(".lab/dev/pulumi");
        await rename(state, `${state}-${index.toString()}`);
        await mkdir(state);
      }
      const begun: Fault[] = [];
      let ended: Promise<void> | undefined;
      const end = (): Promise<void> =>
        (ended ??= (async () => {
          for (const fault of begun.toReversed()) await fault.end();
        })());
      let said = "";
      try {
        for (const fault of faults) {
          await fault.begin();
          begun.push(fault);
        }
        const run = rebuild(...args);
        if (endsAfter !== undefined) void sleep(endsAfter).then(end);
        if (killedAfter !== undefined) void sleep(killedAfter).then(() => run.kill("SIGKILL"));
        said = (await run).all;
      } finally {
        await end();
      }
      expectTrue(said, { faults, loses, args });
      if (args.includes("--plan")) expect(existsSync(checkout.file(".hearth/rebuild-dev.json")), said).to.equal(false);
      // Once all is well again, the same command has nothing to do, or ends what was lost.
      let again = "";
      await eventually(
        "a rebuild says that all is well",
        async () => {
          const { exitCode, all } = await rebuild(
            "--wait",
            "60",
            ...(loses === "state" ? ["--from", ".lab/dev/escrow.sops.yaml"] : []),
          );
          again = all;
          expectTrue(again, { faults: [], loses, args: [] });
          return all.includes("There is nothing to rebuild") || (exitCode === 0 && /^Rebuilt/m.test(all));
        },
        240,
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}\n\nIt said first:\n${said}\nand then:\n${again}`);
      });
      expect(await whole(), `It said:\n${said}\n\nand then:\n${again}`).to.deep.equal(wholeBefore);
    });
  }
});

const threePlanes = (text: string): string => {
  const node = (name: string, last: number): string =>
    `    den-dev-${name}:
      platform: proxmox
      role: controlplane
      image: standard
      address: 10.${octet.toString()}.0.${last.toString()}
      mac: BC:24:11:20:00:${last.toString()}
      installDisk: /dev/sda
      proxmox: { host: pve1, vmId: 20${last.toString()}, cores: 2, memory: 4096, disk: 40 }
`;
  return text
    .replace("    den-dev-wk01:\n", node("cp02", 12) + node("cp03", 13) + "$&")
    .replace(/ {4}den-dev-wk02:[\s\S]*?(?= {2}hearth:cloudflare)/, "");
};

/** What a cluster must not lose, with a claim on a disk of its machines. */
const sentinels = `
apiVersion: v1
kind: ConfigMap
metadata: { name: sentinel, namespace: default }
data: { kept: "yes" }
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: sentinel }
spec:
  accessModes: [ReadWriteOnce]
  capacity: { storage: 1Gi }
  persistentVolumeReclaimPolicy: Retain
  storageClassName: ceph-block
  claimRef: { namespace: default, name: sentinel }
  csi: { driver: rook-ceph.rbd.csi.ceph.com, volumeHandle: sentinel }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: sentinel, namespace: default }
spec:
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 1Gi } }
  storageClassName: ceph-block
  volumeName: sentinel
`;
