import { anotherHost, type Dangers, type MachineRestart } from "../platform.ts";

/**
 * Properties of a virtual machine that take effect when it is stopped and started.
 *
 * With Proxmox's hotplug, memory and processors may change without that. Source: bpg/terraform-provider-proxmox 0.111,
 * proxmoxtf/resource/vm.
 */
const onStart = new Set([
  ...["acpi", "kvmArguments", "bios", "keyboardLayout", "machine", "tabletDevice", "agent", "amdSev", "audioDevice"],
  ...["bootOrders", "cpu", "efiDisk", "tpmState", "rngs", "initialization", "hostpcis", "numas", "usbs", "memory"],
  ...["operatingSystem", "serialDevices", "vga", "virtiofs", "scsiHardware", "watchdog"],
]);

/** Options of a disk that take effect likewise. Source: qemu-server 9.2.6, src/PVE/QemuServer.pm, vmconfig_update_disk. */
const diskOnStart = /^disks\[\d+\]\.(aio|cache|discard|iothread|ssd|queues)$/;

/** Returns the effect on a running virtual machine if properties of it change. */
export const virtualMachineRestarts = (properties: readonly string[], rebootAfterUpdate: boolean): MachineRestart[] => {
  const names = [
    ...new Set([
      ...properties.map((path) => path.split(/[.[]/)[0] ?? path).filter((name) => onStart.has(name)),
      ...properties.filter((path) => diskOnStart.test(path)).map(() => "disks"),
    ]),
  ];
  if (names.length === 0) return [];
  if (rebootAfterUpdate)
    return [{ what: "Proxmox stops and starts it in the update", why: names.join(", "), isAtOnce: true }];
  return names.includes("tpmState")
    ? [
        {
          what: "the update is refused while the machine may not be restarted (`rebootAfterUpdate`)",
          why: "tpmState",
        },
      ]
    : [{ what: "nothing until somebody stops and starts it", why: names.join(", ") }];
};

/** A machine that runs is migrated live. One that fails meanwhile is gone, and it is slow while its disks are copied. */
const migration = (properties: readonly string[]): MachineRestart[] =>
  properties.includes("nodeName")
    ? [{ what: "Proxmox migrates it in the update", why: anotherHost, isAtOnce: true }]
    : [];

/** The dangers of a change to virtual machines. */
export const proxmoxDangers: Dangers = {
  machines: /^proxmoxve:index\/(vm|vmLegacy|clonedVm|clonedVmLegacy|container|containerLegacy):/,
  // Proxmox destroys a disk that is no longer declared.
  losesDisk: (type, removed) =>
    type.startsWith("proxmoxve:") && removed.some((path) => /^disks\[\d+\](\.interface)?$/.test(path)),
  restarts: (type, properties, { rebootAfterUpdate }) =>
    /^proxmoxve:index\/(vmLegacy|vm):/.test(type)
      ? [...migration(properties), ...virtualMachineRestarts(properties, rebootAfterUpdate !== false)]
      : [],
};
