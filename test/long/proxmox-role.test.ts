import { join } from "node:path";

import { expect } from "chai";

import { roleOf } from "../../operations/doctor/proxmox-role.ts";
import { configOf } from "../support/doctor.ts";
import { proxmoxToken, startProxmox, type Proxmox } from "../support/proxmox.ts";
import { scratch, type Scratch } from "../support/scratch.ts";

const address = "127.91.0.3:8006";
const checkout = join(import.meta.dirname, "../..");

/** The component that makes a stack's machines, with the settings of dev, on the real provider. */
const program = `
import * as proxmox from "@pulumi/proxmoxve";
import * as pulumi from "@pulumi/pulumi";
import { ProxmoxMachines } from "${checkout}/components/machines/proxmox.ts";
import { machineFacts } from "${checkout}/test/support/machines.ts";

const { VM_HOST: host = "pve1", VM_CORES: cores = "2" } = process.env;
const provider = new proxmox.Provider("proxmox", {
  endpoint: "https://${address}", insecure: true, apiToken: pulumi.secret("${proxmoxToken}"),
});
new ProxmoxMachines("machines", {
  cluster: "den-dev", talos: "v1.13.9", sharedDatastores: [], imageDatastore: "local", diskDatastore: "local-lvm",
  bridge: "vmbr0", prefixLength: 16, gateway: "127.91.0.1", nameservers: ["127.91.0.1"], tags: ["hearth"],
  antiAffinity: false, watchdog: false,
  machines: {
    "den-dev-wk01": {
      facts: machineFacts({
        role: "worker", address: "127.91.1.21",
        // The schematic of no extensions, which the lab's factory knows from the start.
        schematic: "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba",
      }),
      host, vmId: 2021, cores: Number(cores), memory: 4096, disk: 20, extraDisks: [], pciMappings: [],
    },
  },
}, { provider });
`;

describe("a token at Proxmox with the role that doctor prints", function () {
  this.timeout(900_000);
  const role = roleOf(configOf("dev"));
  let project: Scratch;
  let running: Proxmox;

  /** Begins anew, with a token that has these privileges and no other. */
  const grant = async (privileges: readonly string[]) => {
    await running.stop();
    running = await startProxmox(address, { privileges });
    await project.pulumi("stack", "rm", "--stack", "test", "--yes", "--force");
    await project.pulumi("stack", "init", "test");
  };

  const up = () => project.pulumi("up", "--yes", "--skip-preview");

  const destroy = async () => {
    await project.pulumi("state", "unprotect", "--all", "--yes");
    await project.pulumi("destroy", "--yes", "--skip-preview");
  };

  before(async () => {
    project = await scratch("pulumi-resource-proxmoxve", program);
    running = await startProxmox(address, { privileges: role });
  });

  after(async () => {
    await running.stop();
    await project.remove();
  });

  it("makes, changes and deletes a machine", async () => {
    await up();
    await project.pulumi("refresh", "--yes", "--skip-preview");
    await destroy();
    expect(await running.holdings()).to.deep.include({ vms: 0, images: 0 });
  });

  for (const privilege of role.filter((each) => !["VM.Migrate", "Sys.Console"].includes(each))) {
    it(`does not without ${privilege}`, async () => {
      await grant(role.filter((each) => each !== privilege));
      const failure = await up()
        .then(destroy)
        .then(
          () => "nothing failed",
          (error: unknown) => String((error as { stdout?: unknown }).stdout),
        );
      expect(failure).to.match(/403|Permission check failed/);
    });
  }
});
