import { nameOf } from "../../components/urn.ts";
import { resourceTypes } from "../../components/resource-types.ts";
import { detached } from "../../lib/engine/loss.ts";
import { ofType, type State } from "../../lib/engine/state.ts";
import type { Target } from "../../lib/engine/target.ts";
import { revealed } from "../../lib/engine/value.ts";
import type { Display } from "../../lib/terminal/display.ts";
import { askProxmoxOf, virtualMachine, type AskProxmox } from "../../lib/cluster/proxmox.ts";
import { undestroyedMachines } from "./running.ts";

/** A virtual machine of the state. */
export interface DestroyedMachine {
  urn: string;
  name: string;
  vmId: number;
}

/**
 * The virtual machines that an interrupted update destroyed and the state still has: their replacement was begun, and Proxmox proves that it has
 * none of their numbers. What Proxmox does not say is there.
 */
export const destroyedIn = async (state: State, ask: AskProxmox): Promise<DestroyedMachine[]> => {
  const begun = Object.keys(undestroyedMachines(state));
  const machines = ofType(state, resourceTypes.virtualMachine).filter(({ urn }) => begun.includes(nameOf(urn)));
  const asked = await Promise.all(
    machines.map(async ({ urn, inputs }) => {
      const { nodeName, vmId } = (revealed(inputs) ?? {}) as { nodeName?: string; vmId?: number };
      if (nodeName === undefined || vmId === undefined) return [];
      const found = await virtualMachine(ask, nodeName, vmId);
      return found.is === "absent" ? [{ urn, name: nameOf(urn), vmId }] : [];
    }),
  );
  return asked.flat();
};

/**
 * Takes the virtual machines from the state that an interrupted update destroyed, so that they are made again.
 *
 * The plugin cannot delete what is gone: it asks for the machine's status before. Source: bpg/terraform-provider-proxmox v0.111.1,
 * proxmoxtf/resource/vm/vm.go, vmDelete.
 *
 * @returns whether there were any
 */
export const forgetDestroyed = async (target: Target, display: Display): Promise<boolean> => {
  const { engine } = target;
  const { proxmox } = await target.config();
  if (!proxmox || !(await engine.size())) return false;
  const state = await engine.state();
  if (Object.keys(undestroyedMachines(state)).length === 0) return false;
  const gone = await destroyedIn(state, await askProxmoxOf(proxmox, target));
  if (gone.length === 0) return false;
  const urns = gone.map(({ urn }) => urn);
  await engine.changeState((now) => detached(now, urns, urns));
  for (const { name, vmId } of gone)
    display.line(
      `  ${name} is made again: an interrupted update had begun to replace it, and Proxmox has no VM ${vmId} any more`,
    );
  return true;
};
