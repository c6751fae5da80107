import type { Role } from "../../components/talos/settings.ts";
import type { Reach } from "../../infra/reach.ts";

/** One step of a rollout. It takes at most one machine out of service. */
export type Step =
  | TalosStep
  | ConfigureStep
  | RenameStep
  | JoinStep
  | ReplaceStep
  | RemoveStep
  | KubernetesStep
  | FirmwareStep
  | FinishStep;

interface Common {
  /** By which `--until` names it. @example "talos/den-dev-wk01" */
  name: string;
  /** What is done, in a few words. */
  what: string;
  /** What is out of service meanwhile. */
  out: string;
  /** How long it usually takes, in seconds. */
  seconds: number;
}

/** Installs another Talos image on a machine, and boots it. */
export interface TalosStep extends Common {
  kind: "talos";
  machine: string;
  to: TalosImage;
}

/** Gives a machine a configuration, or its virtual machine properties, for which it restarts or moves, or its API server restarts. */
export interface ConfigureStep extends Common {
  kind: "configure";
  machine: string;
  /** What restarts. A machine that only moves to another host goes on running. */
  restarts: "machine" | "apiServer" | "nothing";
  /** Whether its pods leave before. Those of a control plane go on while its API server restarts. */
  isDrained: boolean;
}

/** Gives a machine the name of another node. */
export interface RenameStep extends Common {
  kind: "rename";
  /** Its new name. */
  machine: string;
  /** The name that it has. */
  from: string;
  /** Set for a control plane that has the name already, while etcd still counts it under the former one. */
  role?: Role;
}

/** Takes a machine through an update of its firmware. Only a command of its own plans it. */
export interface FirmwareStep extends Common {
  kind: "firmware";
  machine: string;
  /** Whether a person says that the firmware is updated. */
  isUpdated: boolean;
}

/** Creates a machine and configures it, and waits until it is a part of the cluster. */
export interface JoinStep extends Common {
  kind: "join";
  machine: string;
  role: Role;
  /** Whether a machine of metal has to have SecureBoot on, or off, when it gets its configuration. Undefined for others. */
  secureBoot?: boolean | undefined;
}

/** Destroys a machine, or wipes one of metal, and sets it up again under its name. */
export interface ReplaceStep extends Common {
  kind: "replace";
  machine: string;
  role: Role;
  /** The role that it has until then. */
  former: Role;
  /** Whether it does not answer any more, because an interrupted run destroyed it. */
  isLost: boolean;
  /** Whether a machine of metal has to have SecureBoot on, or off, where a person has to boot it. Undefined where the engine replaces it. */
  secureBoot?: boolean | undefined;
}

/** Takes a machine that the stack file no longer has out of the cluster. */
export interface RemoveStep extends Common {
  kind: "remove";
  machine: string;
  role: Role;
  /** Whether it does not answer, so that others have to take it out. */
  isLost: boolean;
}

/** Upgrades Kubernetes on all machines, one after the other, as talosctl does it. */
export interface KubernetesStep extends Common {
  kind: "kubernetes";
  to: string;
}

/** Puts a machine back into service that an interrupted run took out. */
export interface FinishStep extends Common {
  kind: "finish";
  machine: string;
}

/** What a machine installs. */
export interface TalosImage {
  /** @example "v1.13.9" */
  version: string;
  schematic: string;
  /** The whole reference of the installer. */
  installer: string;
}

/** A machine of the stack file. */
export interface DesiredMachine {
  role: Role;
  image: TalosImage;
}

/** What the stack file asks for. */
export interface Changes {
  /** Machines by the name of their node. */
  machines: Record<string, DesiredMachine>;
  /** Kubernetes release. @example "v1.36.4" */
  kubernetes: string;
  /** Why machines restart in the update, by their name. */
  restarts: Record<string, string[]>;
  /** Why control planes restart their API servers in the update, by their name. @default none */
  apiServers?: Record<string, string[]>;
  /** Machines that the state has and the stack file does not. */
  removed: Record<string, Role>;
  /** Machines that the update creates: new ones, and those that a run was killed over after it destroyed what they replace. */
  created: string[];
  /** Machines that the update destroys and creates again. */
  replaced: string[];
  /** The roles of machines as the state has them, by their names. @default unknown */
  former?: Record<string, Role>;
  /** Whether the update would bootstrap etcd. */
  isBootstrapped: boolean;
  /** The present names of machines that get another one, by the latter. @default none */
  renamed?: Record<string, string>;
  /** How the cluster is reached before and after; undefined if no control plane stays. */
  reach?: { before: Reach; after: Reach } | undefined;
  /** Machines whose address changes. @default none */
  moved?: Record<string, { from: string; to: string }>;
  /** Why machines could not open their disks when they restart, by their name. @default none */
  closed?: Record<string, string>;
}

/** A machine as it answers. */
export interface RunningMachine {
  version: string;
  /** Undefined if the image is not from an Image Factory. */
  schematic: string | undefined;
  /** What the last update recorded as its image: another one than runs was installed by hand. */
  recorded?: string | undefined;
  /** What it is now. */
  role?: Role | undefined;
  /** Its volumes that are not Talos's own. @default none */
  volumes?: string[] | undefined;
  /** Whether its disks have the second key of an update of firmware. @default false */
  isBetweenFirmware?: boolean | undefined;
}

/** What runs. */
export interface Running {
  /** Machines by the name of their node. */
  machines: Record<string, RunningMachine>;
  /** The machine whose etcd member leads; undefined if that is not known. */
  leader?: string | undefined;
  /** The members of etcd, by the names of their nodes; undefined if they are not known. */
  members?: { name: string; isVoting: boolean }[] | undefined;
  /** The lowest and the highest release of an API server or a kubelet. */
  kubernetes: { lowest: string; highest: string };
  /** Machines that a rollout took out of service and did not put back. */
  marked: string[];
}
