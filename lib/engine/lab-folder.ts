import { join } from "node:path";

/** The files of one stack's lab, all below `.lab/<stack>` of the checkout. */
export interface LabFolder {
  /** The checkout's root. */
  root: string;
  stack: string;
  /** The folder itself. */
  path: string;
  /** The simulators' configuration; see lab/internal/labconfig. */
  config: string;
  /** What the simulators put into the cluster before Flux is there; see lab/internal/pods/create.go. */
  created: string;
  /** What of the tree does not run here, and is not checked. */
  skipped: string;
  /** Exists if the lab's volumes hold data. */
  volumes: string;
  /** The committed stack configuration. */
  committed: string;
  /** The stack configuration derived from it, with its secrets encrypted. */
  derived: string;
  /** What was generated for this lab: tokens and seeds. */
  credentials: string;
  /** Passphrase that encrypts the stack's secrets. */
  passphrase: string;
  /** Where the engine keeps the stack's state. */
  state: string;
  pulumiHome: string;
  /** Links to the programs, first in PATH. */
  bin: string;
  logs: string;
  kubeconfig: string;
  talosconfig: string;
  /** Certificate of the authority that signs for the simulated internet. */
  authority: string;
  /** Public keys that the Git server accepts. */
  authorizedKeys: string;
  /** The line of known_hosts by which clients know the Git server. */
  knownHosts: string;
  /** Held by the `npm run lab` command that is changing the lab. */
  lock: string;
  /** ID of the engine's process while it runs. */
  enginePid: string;
  /** How far a recovery came that is under way. */
  recovery: string;
}

/** The lab's folder of a stack. */
export const labFolder = (root: string, stack: string): LabFolder => {
  const path = join(root, ".lab", stack);
  return {
    root,
    stack,
    path,
    config: join(path, "lab.json"),
    created: join(path, "created.json"),
    skipped: join(path, "tree.json"),
    volumes: join(path, "volumes"),
    committed: join(root, `Pulumi.${stack}.yaml`),
    derived: join(path, `Pulumi.${stack}.yaml`),
    credentials: join(path, "credentials.json"),
    passphrase: join(path, "passphrase"),
    state: join(path, "pulumi"),
    pulumiHome: join(path, "pulumi-home"),
    bin: join(path, "bin"),
    logs: join(path, "logs"),
    kubeconfig: join(path, "kubeconfig"),
    talosconfig: join(path, "talosconfig"),
    authority: join(path, "ca", "ca.crt"),
    authorizedKeys: join(path, "git", "authorized_keys"),
    knownHosts: join(path, "git", "known_hosts"),
    lock: join(root, ".lab", `${stack}.lock`),
    enginePid: join(path, "engine.pid"),
    recovery: join(path, "recovery.json"),
  };
};
