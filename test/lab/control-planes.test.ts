import { readFile } from "node:fs/promises";

import { expect } from "chai";
import { execa } from "execa";

import { LabCheckout } from "../support/lab-checkout.ts";
import { eventually } from "../support/lab-process.ts";

const octet = 57;
const names = ["den-prod-cp01", "den-prod-cp02", "den-prod-cp03"] as const;

const vip = `127.${octet.toString()}.0.10`;

describe("npx hearth rebuild with three control planes of metal", () => {
  let checkout: LabCheckout;
  let snapshot: string;

  const lab = async (...args: string[]): Promise<void> => {
    const { exitCode, all } = await checkout.lab(...args);
    expect(exitCode, all).to.equal(0);
  };

  const shell = async (command: string): Promise<string> => {
    const { exitCode, all, stdout } = await checkout.shell(command, "prod");
    expect(exitCode, String(all)).to.equal(0);
    return String(stdout);
  };

  const start = (...args: string[]) =>
    execa(
      "node",
      ["--import", "tsx", "operations/main.ts", "rebuild", "prod", "--lab", "--yes", "--confirm", "prod", ...args],
      { cwd: checkout.path, all: true, reject: false },
    );

  const rebuild = async (...args: string[]): Promise<string> => {
    const { exitCode, all } = await start(...args);
    expect(exitCode, all).to.equal(0);
    return all;
  };

  const talosctl = (command: string): Promise<string> => {
    const address = `127.${octet.toString()}.0.13`;
    return shell(`talosctl --nodes ${address} --endpoints ${address} ${command}`);
  };

  /** IDs of etcd's voting members by their names. */
  const members = async (): Promise<Record<string, string>> => {
    const rows = (await talosctl("etcd members")).split("\n").slice(1);
    const voting = rows.map((row) => row.trim().split(/\s+/)).filter((row) => row.at(-1) === "false");
    return Object.fromEntries(voting.map(([, id = "", name = ""]) => [name, id]));
  };

  const cluster = () => shell("kubectl get namespace kube-system --output jsonpath={.metadata.uid}");

  const create = (name: string) => shell(`kubectl create configmap ${name} --namespace default`);

  const created = async () =>
    (await shell("kubectl get configmap --namespace default --output name")).match(/sentinel-\w+/g) ?? [];

  before(async () => {
    checkout = await LabCheckout.createSmallProd(octet);
    await lab("up", "prod");
    snapshot = checkout.file("etcd.db");
  });

  after(() => checkout.remove());

  it("leaves a VIP to another control plane as soon as its machine gives it up, and only for a while", async () => {
    const at = (address: string) => `--nodes ${address} --endpoints ${address}`;
    const holder = () => shell(`talosctl ${at(vip)} get hostname --output jsonpath={.spec.hostname}`);
    const first = await holder();
    expect(names).to.include(first);
    const own = at(`127.${octet.toString()}.0.${(11 + names.findIndex((name) => name === first)).toString()}`);
    const patch = JSON.stringify({ apiVersion: "v1alpha1", kind: "Layer2VIPConfig", name: vip, $patch: "delete" });
    await shell(`talosctl ${own} patch machineconfig --mode try --timeout 40s --patch '${patch}'`);
    await eventually("another control plane has the VIP", async () => (await holder()) !== first, 30);
    const configured = () => shell(`talosctl ${own} get machineconfig v1alpha1 --output yaml`);
    expect(await configured()).not.to.include("Layer2VIPConfig");
    await eventually("the VIP is configured again", async () => (await configured()).includes("Layer2VIPConfig"), 60);
    expect(await holder()).not.to.equal(first);
  });

  it("makes the one anew that the cluster began on, and leaves the others alone", async () => {
    const [before, uid] = [await members(), await cluster()];
    expect(Object.keys(before)).to.have.members([...names]);
    await lab("lose", "prod", "den-prod-cp01");
    const said = await rebuild();
    expect(said)
      .to.match(/made anew +den-prod-cp01\n/)
      .and.to.match(/kept +den-prod-cp02, den-prod-cp03\n/);
    await lab("up", "prod");
    const after = await members();
    expect(Object.keys(after)).to.have.members([...names]);
    expect(after["den-prod-cp01"]).not.to.equal(before["den-prod-cp01"]);
    expect([after["den-prod-cp02"], after["den-prod-cp03"]]).to.deep.equal([
      before["den-prod-cp02"],
      before["den-prod-cp03"],
    ]);
    expect(await cluster()).to.equal(uid);
  });

  it("founds etcd anew with the snapshot where its quorum is lost, however often it is killed", async () => {
    await create("sentinel-kept");
    const uid = await cluster();
    await talosctl(`etcd snapshot ${snapshot}`);
    await create("sentinel-late");
    await lab("lose", "prod", "den-prod-cp01,den-prod-cp02");
    const titles = ["Wipe what is left", "Forget what is lost", "Build what is missing", "Bring everything to what"];
    for (const title of [...titles, "Let Git fill the cluster", "Make sure that nothing"]) {
      const attempt = start("--etcd", snapshot);
      let said = "";
      attempt.all.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes(title)) attempt.kill("SIGKILL");
      });
      expect((await attempt).signal, `${title}: ${said}`).to.equal("SIGKILL");
    }
    await rebuild("--etcd", snapshot);
    await lab("up", "prod");
    expect(Object.keys(await members())).to.have.members([...names]);
    expect(await cluster()).to.equal(uid);
    expect(await created()).to.deep.equal(["sentinel-kept"]);
  });

  it("is followed by a renamed node, whose machine stays as it is", async () => {
    const before = await members();
    const state = (name: string) => checkout.file(".lab/prod/machines", name, "state/node-identity");
    const identity = await readFile(state("den-prod-cp03"), "utf8");
    await checkout.edit("Pulumi.prod.yaml", (text) =>
      text.replace("    den-prod-cp03:\n", "    den-prod-cp04:\n      renamedFrom: den-prod-cp03\n"),
    );
    await checkout.commit("Rename a node");
    await shell("npx hearth deploy prod");
    expect(await readFile(state("den-prod-cp03"), "utf8")).to.equal(identity);
    expect(Object.values(await members()).sort()).to.deep.equal(Object.values(before).sort());
    await eventually(
      "the node has its new name",
      async () => (await shell("kubectl get nodes --output name")).includes("node/den-prod-cp04"),
      120,
    );
  });
});
