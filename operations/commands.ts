import { command, type Command } from "../lib/terminal/command.ts";

const kms = { type: "boolean", default: true, what: "do not ask the key management service" } as const;

const unsigned = {
  type: "string",
  value: "NAME",
  what: "take the backup of this name although it is unsigned, as those of older releases are",
} as const;

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  command({
    name: "check",
    group: "look",
    summary: "checks stack files, each by itself and against the others; all unless named",
    forms: { "[STACK…]": "" },
    details: `With --tree it renders every Kustomization of the stacks' clusters as well, as Flux does, and holds each object to the API
server's own schemas, and to the others.

With --charts it renders releases with their charts as published, which it pulls from their repositories and keeps by their digest;
gitops/chart-digests.yaml has the digests. It turns on what the clusters' lists have behind a # as well, asks registries whether all images
exist, and holds those of charts to gitops/image-digests.yaml. It ends with 2 where a chart could not be had and nothing else is wrong.`,
    flags: {
      tree: {
        type: "boolean",
        what: "the clusters' part of gitops/ as well, as Flux and the API server would have it",
      },
      charts: { type: "boolean", what: "as --tree, with the charts of all releases, of options too, and their images" },
      update: { type: "boolean", what: "with --charts: record the digests of charts and images that have none yet" },
    },
    json: "problems, warnings and what keeps it from being deployed, by stack, with --tree what the tree's findings are, and with --charts those of options, the charts and the images",
    load: async () => (await import("./config/check.ts")).check,
  }),
  command({
    name: "doctor",
    group: "look",
    summary: "looks at everything that a deployment relies on, and says what to do about what it finds",
    forms: { STACK: "" },
    details: `It changes nothing, and ends with 1 where there is a problem. It works before the first deployment, half-way and on a running cluster:
what cannot be asked yet is said, with the reason.`,
    uses: ["identity"],
    json: "the findings: what was checked, whether it is fine, a warning, a problem or not asked, what was found, and what to do",
    load: async () => (await import("./doctor/cli.ts")).doctor,
  }),
  command({
    name: "discover",
    group: "look",
    summary: "looks at machines that booted Talos's ISO, and prints them as nodes of a stack file",
    forms: { "ADDRESS…": "" },
    details: `It tells each machine's network card, disks, processor, memory and SecureBoot. The install disk is selected by its serial or WWID; where
several fit, they stand in comments for you to choose. It changes no machine.`,
    flags: {
      role: { type: "string", value: "ROLE", what: "controlplane or worker (worker)" },
      image: {
        type: "string",
        value: "PROFILE",
        what: "the image profile that they install (that of the stack's metal nodes)",
      },
      write: {
        type: "string",
        value: "STACK",
        what: "adds them to the stack's file, and leaves all else in it as it is",
      },
    },
    json: "what each machine tells of itself",
    load: async () => (await import("./discover/discover.ts")).discover,
  }),
  command({
    name: "boot",
    group: "look",
    summary: "says what machines of metal have to boot for the first time, and which addresses they need",
    forms: { "STACK [NODE]": "" },
    details: `It registers the image profiles with the Image Factory, as deploy does, so that the ISO is there. It changes no machine.

The ISO asks the network's DHCP server for an address. Where there is none, --static gives each machine an ISO of its own with its address
as an argument of the kernel; what is installed then has the profile's arguments only.

With --at it moves the machine of one node, which has booted and waits at another address, to the node's. It looks first whether the machine
has the node's network cards and whether the address is free. The machine gets the node's network settings, and loses them when it restarts.`,
    flags: {
      static: { type: "boolean", what: "images with the machines' addresses, for a network without DHCP" },
      at: { type: "string", value: "ADDRESS", what: "move the machine that waits here to its node's address" },
    },
    json: "the ISO, the profile and the machines of each image; with --at the node, and its machine's addresses before and now",
    load: async () => (await import("./boot/boot.ts")).boot,
  }),
  command({
    name: "preview",
    group: "look",
    summary: "reports what an update would do to machines, cluster, edge and tree, without secrets",
    forms: { STACK: "" },
    details: `It ends with 0 where nothing changes, 2 where something does, 3 where machines, secrets, volumes or tunnels are replaced or
deleted, and 1 where it failed. docs/guides/previews.md tells how to read the report.

With --data-from it takes stack files and tree from another commit for as long as it runs, and everything else from the checkout. It refuses
with 4 where that commit changes anything else, or where credentials go: docs/guides/pull-requests.md tells what.`,
    flags: {
      base: {
        type: "string",
        value: "REF",
        what: "what the tree is compared with is where the checkout left REF\n(the stack's branch, at origin or here)",
      },
      out: {
        type: "string",
        value: "FILE",
        what: "where the report is written (.hearth/preview-STACK.md); FILE.full.md has it uncut",
      },
      whole: { type: "string", what: "how a report that had to be cut names the whole (the file's path)" },
      "data-from": {
        type: "string",
        value: "REF",
        what: "previews the stack files and the tree of a commit, with this code",
      },
      check: { type: "boolean", what: "with --data-from: only say whether a person has to read it first" },
    },
    uses: ["backend"],
    json: "the outcome (unchanged, changes, dangerous or failed), and the report's files; or why a commit has to be read first",
    load: async () => (await import("./preview/cli.ts")).preview,
  }),
  command({
    name: "drift",
    group: "look",
    summary: "asks every API whether the deployed resources are as the state has them",
    forms: { STACK: "" },
    details: `It changes nothing, not even the state, and ends with 0 where all is as it should be, 2 where it is not, and 1 where it cannot tell.
With --issue it keeps one issue at GitHub, which is open for as long as something differs, and ends with 0 then.`,
    flags: {
      report: { type: "string", value: "FILE", what: "where the report is written, in Markdown" },
      issue: { type: "boolean", what: "keep an issue at GitHub, as GITHUB_TOKEN and GITHUB_REPOSITORY say" },
    },
    uses: ["backend"],
    json: "the resources that differ, whether they are gone, and the paths of what differs",
    load: async () => (await import("./drift/cli.ts")).drift,
  }),
  command({
    name: "inventory",
    group: "look",
    summary: "lists the nodes of stacks; of all unless named",
    forms: { "[STACK…]": "" },
    json: "the nodes",
    load: async () => (await import("./config/inventory.ts")).inventory,
  }),
  command({
    name: "render",
    group: "look",
    summary: "prints every object that Flux would apply, with the file that it comes from",
    forms: { "[STACK…]": "" },
    json: "the objects, with file and line",
    load: async () => (await import("./gitops/render.ts")).render,
  }),
  command({
    name: "trust",
    group: "look",
    summary:
      "prints what a shell needs for plugins to trust Proxmox as the stack file says, before pulumi is run by hand",
    forms: { STACK: "" },
    details: `eval "$(npx hearth trust STACK)" adds a folder to SSL_CERT_DIR, with the certificate of hearth:proxmox.ca, or the one that Proxmox
presents, after its fingerprint was compared with hearth:proxmox.fingerprint. Hearth's own commands do this by themselves.
On macOS, plugins ask the keychain, and this has no effect.`,
    json: "the file, and how many certificates are added",
    load: async () => (await import("./config/trust.ts")).trust,
  }),
  command({
    name: "init",
    group: "change",
    summary: "writes a new stack file; asks for what flags do not give",
    forms: { "[NEW-STACK]": "" },
    details: "It asks for what has no default and is not given by a flag. The new stack is dev unless named.",
    flags: async () => (await import("./config/questions.ts")).initFlags(),
    json: "the file that was written",
    load: async () => (await import("./config/init.ts")).init,
  }),
  command({
    name: "deploy",
    group: "change",
    summary: "previews the stack, updates it if something changes, and checks that nothing would change afterwards",
    forms: { STACK: "" },
    details: `Policies hold throughout. The state is backed up after an update.

What takes machines out of service is carried out in steps, one machine at a time: another Talos release or image profile, a
configuration that needs a reboot, another Kubernetes release, and machines that join, leave or are replaced, control planes too. It lists
the steps first. Before each, etcd, all other nodes and every API server have to be well. Run again after an interruption, also from another
computer, it goes on.
docs/guides/changing-a-cluster.md tells what each change takes.

First the doctor looks at Proxmox, the Image Factory and Cloudflare, whose refusal would end an update half-way. Where a deployment fails, it
says what the doctor finds then.`,
    flags: {
      step: { type: "boolean", what: "ask before each step" },
      until: { type: "string", value: "NAME", what: "end after the step of this name, or of this machine" },
      now: { type: "boolean", what: "take machines out of service outside the windows of hearth:rollout too" },
      unchecked: { type: "boolean", what: "deploy although the doctor has found a problem of an API" },
    },
    uses: ["identity", "yes", "backend"],
    json: "whether anything was changed, and the names of the steps that are left",
    load: async () => (await import("./deploy/cli.ts")).deployCommand,
  }),
  command({
    name: "firmware",
    group: "change",
    summary: "takes a machine whose disks a TPM opens through an update of its firmware, which you do meanwhile",
    forms: { "STACK NODE": "" },
    details: `It drains the machine, and gives its disks a second key, which firmware does not close. Then it waits until you have updated the firmware. Where the
TPM releases its key no more, it seals another one to what the firmware is now. In the end it takes the second key away, and puts the machine
back. The machine restarts two to five times. Run again after an interruption, also from another computer, it goes on.`,
    flags: {
      updated: { type: "boolean", what: "the firmware is updated, and the TPM goes on as before" },
    },
    json: "the machine",
    load: async () => (await import("./firmware/firmware.ts")).firmware,
  }),
  command({
    name: "try",
    group: "change",
    summary: "deploys the checkout's change to a lab of its own, and reports what was out of service meanwhile",
    forms: { STACK: "" },
    details: `The lab begins at the commit where the checkout left the base, with that commit's code. Then the checkout, with what is not committed, is
deployed to it by deploy, and after that the base again. Meanwhile machines, the API, etcd's quorum, the Services of routes, Flux, tunnels and
records are asked four times a second. It needs no account and no secret, and a lab that runs already stays as it is.

It ends with 0 where everything held, 2 where something was out of service that must not be, and 1 where the change is not carried out.
docs/guides/trying-a-change.md tells how to read the report.`,
    flags: {
      base: { type: "string", value: "REF", what: "the branch that the change is for (main, at origin or here)" },
      out: {
        type: "string",
        value: "FILE",
        what: "where the report is written (.hearth/try-STACK.md), with a picture beside it",
      },
      back: { type: "boolean", default: true, what: "do not deploy the base again afterwards" },
      keep: { type: "boolean", what: "leave the lab running afterwards" },
    },
    json: "the outcome (held, broken or refused), the report's files, and of each deployment its steps and whether each thing held",
    load: async () => (await import("./try/cli.ts")).tryCommand,
  }),
  command({
    name: "rotate",
    group: "change",
    summary: "gives the stack another root secret, and writes the escrow again; lists them unless one is named",
    forms: { "STACK [WHAT]": "" },
    details: `  age                    the age key that decrypts the secrets of the tree
  deploy-key             the SSH key by which the cluster reads its repository
  webhook-token          the token that signs the Git host's notifications of pushes
  tunnel-secret          the secret of each Cloudflare tunnel
  kubernetes-authority   the authority of the Kubernetes API
  talos-authority        the authority of the Talos API
  aggregation-authority  the authority of the APIs behind the Kubernetes API
  etcd-authority         the authority of etcd
  proxmox-token          the API token of Proxmox, which you make
  proxmox-password       the password of root@pam at Proxmox, which you change there first
  cloudflare-token       the API token of Cloudflare, which you make
  git-token              the token that reads the repository over HTTPS, which you make
  github-token           the token that registers deploy key and webhook at GitHub, which you make
  bgp-password           the password of the BGP sessions, which your routers need too
  registry-credentials   the credentials for image registries, which you make; as JSON in one line
  passphrase             the passphrase of the state and of the stack file
  signing-key            the keys that sign backups
  disk-recovery-key      the second key of disks whose key is in a TPM

Before it changes anything it says what that interrupts, and asks. Run again after an interruption, it finishes what it had begun.
A new token or password, and a new passphrase where no file holds it, are read as a line of standard input.
docs/guides/somebody-else-has-it.md tells for each secret what it opens, and what to do about that.`,
    flags: { kms },
    uses: ["identity", "yes", "backend"],
    json: "the rotations and what each interrupts; of one, the escrow's file and copies, what is left to do, and whether an earlier run was finished",
    load: async () => (await import("./rotate/cli.ts")).rotate,
  }),
  command({
    name: "promote",
    group: "change",
    summary: "moves the branch of a stack to the commit that another one runs healthily, or back",
    forms: { "STACK [COMMIT]": "" },
    details: `hearth:gitops.promotion says which stack runs commits first, and for how long it has to be well. The new commit comes after the present
one; anything else wants --back, which goes to what the stack had before its last promotion, or to a commit that you name. What it was taken back
from is not promoted again by itself. It ends with 0 where the branch moved or has nothing to move to, and with 2 where it is too early.
docs/guides/promotion.md tells the rest.`,
    flags: {
      back: { type: "boolean", what: "go back, to the commit before the last promotion unless one is named" },
      again: { type: "boolean", what: "promote the commit although the stack was taken back from it" },
    },
    uses: ["yes"],
    json: "the outcome (move, nothing, wait or back), with the commit or the reason",
    load: async () => (await import("./promote/cli.ts")).promote,
  }),
  command({
    name: "app",
    group: "change",
    summary: "writes the folder of a new app",
    forms: { "new NAME": "writes an app of one image, with a route, and turns it on in a cluster" },
    details: `The app runs as the level restricted wants, on a file system that it cannot write to but for /tmp, and only gateways reach it. It
passes every check as it comes. The values of secrets are read from standard input, a line each, in the order of --secret; the password of a volume's
backups is drawn into the cluster's environment.sops.yaml, for which SOPS_AGE_KEY_FILE names your identity. With --lab it is an example, whose secrets may be
encrypted to the lab's key. docs/guides/add-an-app.md tells what else an app may have, such as a chart.`,
    flags: {
      image: { type: "string", value: "IMAGE", what: "its image with tag and digest" },
      port: { type: "string", value: "PORT", what: "the port that its container listens on (8080)" },
      user: { type: "string", value: "ID", what: "the user that it runs as (65532)" },
      host: { type: "string", value: "NAME", what: "its host name, before the domain of apps (its name)" },
      in: {
        type: "string",
        value: "CLUSTER",
        what: "the cluster that it is turned on in; the others list it turned off (dev)",
      },
      "sign-on": { type: "boolean", what: "only people who have signed in reach it" },
      volume: {
        type: "string",
        value: "PATH",
        what: "where its container has a volume, which is backed up every night",
      },
      size: { type: "string", value: "SIZE", what: "the volume's size (5Gi)" },
      database: { type: "boolean", what: "it has a Postgres with backups, and its address in DATABASE_URL" },
      secret: {
        type: "string",
        multiple: true,
        value: "KEY",
        what: "a variable with a secret value; as often as needed",
      },
    },
    uses: ["lab", "identity"],
    json: "the files that were written",
    load: async () => (await import("./app/cli.ts")).app,
  }),
  command({
    name: "secret",
    group: "change",
    summary: "writes the tree's encrypted files",
    forms: {
      "init STACK": "makes the secrets that come with the tree the stack's own, before its first deployment",
      "new FILE KEY…": "writes a Secret with these keys, encrypted to its environment's recipients in .sops.yaml",
      "edit FILE": "changes a file in your editor ($EDITOR)",
      "rotate [FILE…]": "encrypts files, or all of a folder, again: with another data key, to today's recipients",
    },
    details: `init draws the stack's age key into the stack file, names it and the escrow's recipients in .sops.yaml, and encrypts the example
secrets to them, with new values: what can be drawn is drawn, and what only you know is asked once. Run again, it goes on.

The values of a new Secret are read from standard input, a line each, in the order of their keys.
Set SOPS_AGE_KEY_FILE to the file with your age identity; what is encrypted to the lab's opens without. With --lab it is an example for
the lab: it may be encrypted to the lab's key, which everyone has.`,
    flags: {
      name: { type: "string", value: "NAME", what: "name of a new Secret; the file's name unless given" },
      namespace: {
        type: "string",
        value: "NAME",
        what: "its namespace, where the folder's kustomization.yaml does not give it",
      },
    },
    uses: ["lab", "identity"],
    json: "the files that were written; of init also the recipient, and the keys that still have the example's values",
    load: async () => (await import("./secret/cli.ts")).secret,
  }),
  command({
    name: "access",
    group: "change",
    summary: "issues a talosconfig of a role, or a kubeconfig of a person, which ends by itself",
    forms: { STACK: "" },
    details: `A control plane issues the certificate of a talosconfig. The stack's own is an administrator's for a year; this one is for somebody who
reads logs for a day. With --person Kubernetes issues the certificate of a kubeconfig, for somebody in groups of hearth:cluster.groups, which
have their roles there. Neither can be taken back before it ends. It overwrites no file.`,
    flags: {
      role: { type: "string", value: "ROLE", what: "reader, operator, etcd-backup or admin (reader)" },
      person: { type: "string", value: "NAME", what: "who the kubeconfig is for; without it, a talosconfig is issued" },
      group: { type: "string", multiple: true, value: "GROUP", what: "a group of the person; as often as needed" },
      for: { type: "string", value: "TIME", what: "how long it is valid, such as 30m, 8h or 30d (8h)" },
      out: {
        type: "string",
        value: "FILE",
        what: "where it is written (talosconfig-STACK-ROLE or kubeconfig-STACK-NAME)",
      },
    },
    json: "the file; the role and how long it is valid, or the person, the groups and when it ends",
    load: async () => (await import("./access/cli.ts")).access,
  }),
  command({
    name: "destroy",
    group: "change",
    summary: "destroys a stack, after it has kept what brings it back",
    forms: { STACK: "" },
    details: `It shows what is lost, and has you type the stack's name. Before it deletes anything it writes the escrow, a backup of the state
and a snapshot of etcd, and opens each with the keys at hand. It stops the tunnel's connectors, because Cloudflare deletes no tunnel with
connections. If something cannot be deleted it lists what remains; run it again to go on.`,
    flags: {
      confirm: { type: "string", value: "STACK", what: "the stack's name, instead of typing it" },
      snapshot: {
        type: "boolean",
        default: true,
        what: "do not ask the cluster for anything, because it is gone already",
      },
    },
    uses: ["identity", "backend"],
    json: "the number of resources that were destroyed, and the names of what was kept",
    load: async () => (await import("./destroy/cli.ts")).destroyCommand,
  }),
  command({
    name: "escrow",
    group: "protect",
    summary: "writes the stack's root secrets into its escrow, opens it with every key at hand, and copies it",
    forms: { STACK: "" },
    details: `With --check it only says whether the escrow holds what the state does, and opens with the keys at hand. --add and --remove change
who can open it, in the stack file, before it is written.`,
    flags: {
      check: { type: "boolean", what: "write nothing" },
      add: { type: "string", multiple: true, value: "age1…", what: "a recipient more; as often as needed" },
      remove: { type: "string", multiple: true, value: "age1…", what: "a recipient less; as often as needed" },
      kms,
    },
    uses: ["identity", "backend"],
    json: "the escrow's file, its fingerprint, how each key fared, its copies, and with --check its problems",
    load: async () => (await import("./escrow/cli.ts")).escrow,
  }),
  command({
    name: "backup",
    group: "protect",
    summary:
      "keeps the stack's state, encrypted to the escrow's recipients, in backups/ and where hearth:escrow.copies says",
    forms: { STACK: "" },
    flags: { list: { type: "boolean", what: "list the backups instead, the newest first" } },
    uses: ["backend"],
    json: "the backup's name and copies; with --list the backups, the places that have them, unsigned ones and problems",
    load: async () => (await import("./state/cli.ts")).backup,
  }),
  command({
    name: "snapshot",
    group: "protect",
    summary: "takes a snapshot of etcd, checks it, and keeps it encrypted where backups are kept",
    forms: { "STACK [SNAPSHOT]": "" },
    details:
      "With --verify it opens a snapshot that is kept, the newest unless named, and checks its digest and its database.",
    flags: {
      list: { type: "boolean", what: "list the snapshots instead, the newest first" },
      verify: { type: "boolean", what: "open a snapshot instead, and check it" },
      unsigned,
    },
    uses: ["identity", "backend"],
    json: "the snapshot's name and facts; with --list the snapshots, the places that have them, unsigned ones and problems",
    load: async () => (await import("./etcd/cli.ts")).snapshot,
  }),
  command({
    name: "rebuild",
    group: "recover",
    summary: "finds out what a stack has lost, prints its plan, asks, and carries it out",
    forms: { STACK: "" },
    details: "Run again after an interruption, it goes on where it was.",
    flags: {
      from: {
        type: "string",
        value: "ESCROW",
        what: "file with the root secrets, where the state is lost (escrow/STACK.sops.yaml)",
      },
      etcd: {
        type: "string",
        value: "SNAPSHOT",
        what: "snapshot that etcd begins with: a file, the name of one that is kept, or latest;\nwithout it Flux fills an empty etcd from Git",
      },
      unsigned: {
        type: "string",
        multiple: true,
        value: "NAME",
        what: "take the escrow or snapshot of this file name although it is unsigned, as those of older releases are",
      },
      case: {
        type: "string",
        value: "CASE",
        what: "all, where the state is lost and everything runs, to apply what is configured as well",
      },
      lost: {
        type: "string",
        multiple: true,
        value: "NODE",
        what: "a machine that does not answer and is gone for good; as often as needed",
      },
      "lost-data": {
        type: "string",
        multiple: true,
        value: "NODE",
        what: "a control plane whose data of Ceph (/var/lib/rook) may be wiped with etcd; as often as needed",
      },
      wait: {
        type: "string",
        value: "SECONDS",
        what: "how long machines that do not answer are asked again (180)",
      },
      confirm: {
        type: "string",
        value: "STACK",
        what: "the stack's name, where something is wiped or forgotten and nobody is there to type it;\n--yes does not stand for it",
      },
      plan: { type: "boolean", what: "say what would be done, and stop" },
      restart: { type: "boolean", what: "forget an interrupted rebuild, and look at everything again" },
    },
    uses: ["identity", "yes", "backend"],
    json: "the seconds that each phase took; none where nothing was done",
    load: async () => (await import("./rebuild/cli.ts")).rebuildCommand,
  }),
  command({
    name: "restore",
    group: "recover",
    summary: "puts back the state that a backup holds, the newest unless named",
    forms: { "STACK [BACKUP]": "" },
    details:
      "The present state is backed up first. A backup has to be signed by the stack, as hearth:escrow.signers says.",
    flags: { unsigned },
    uses: ["identity", "yes", "backend"],
    json: "the backup, the number of its resources, and where the state before it was put",
    load: async () => (await import("./state/cli.ts")).restore,
  }),
  command({
    name: "rehearse",
    group: "recover",
    summary: "rehearses a disaster: creates objects, backs up, destroys, rebuilds, and compares what came back",
    forms: { STACK: "" },
    details: "It ends with the time of each case, and draws it.",
    flags: {
      case: { type: "string", multiple: true, value: "CASE", what: "machines, all or state; all of them unless named" },
      svg: { type: "string", value: "FILE", what: "where the timeline is drawn (.hearth/rehearsal-STACK.svg)" },
      wipe: {
        type: "boolean",
        what: "wipe machines through the Talos API instead of burning them, as it is done where they are real",
      },
      destroy: {
        type: "string",
        value: "STACK",
        what: "the stack's name once more, where it is not the lab's: everything that its cluster holds is destroyed",
      },
    },
    uses: ["identity", "backend"],
    json: "each case with its time, what was lost, and what was compared",
    load: async () => (await import("./rehearse/cli.ts")).rehearseCommand,
  }),
  command({
    name: "tools",
    group: "contribute",
    summary: "downloads or builds external programs where they are missing, and prints their paths",
    forms: {
      list: "where each tool is found, and how large it is",
      all: "downloads or builds whatever is missing",
      prune: "gives back what building took: Go's caches, and tools that this checkout does not use",
      digests: "asks the vendors for the digests that toolchain/vendors/digests.json lacks, for maintainers",
      "NAME…": "downloads or builds the tools named, and prints their paths",
    },
    json: "the tools with their versions and paths, or the bytes that were freed",
    load: async () => (await import("./tools/cli.ts")).tools,
  }),
  command({
    name: "schema",
    group: "contribute",
    summary: "writes the JSON Schema by which editors complete and check stack files, and the reference of all keys",
    forms: { "": "" },
    flags: { check: { type: "boolean", what: "only say whether they are what the program has" } },
    // Only this command needs TypeScript's compiler, which is slow to load.
    load: async () => (await import("./config/schema.ts")).schema,
  }),
  command({
    name: "workflows",
    group: "contribute",
    summary: "looks at GitHub's workflows: by actionlint, and for what is dangerous",
    forms: { "": "" },
    json: "what was found, with file and line",
    load: async () => (await import("./workflows/cli.ts")).workflows,
  }),
  command({
    name: "github",
    group: "contribute",
    summary: "keeps comments and issues at GitHub, and looks at its environments",
    forms: {
      "comment FILE": "keeps one comment of that --name on a --pull-request",
      "issue FILE": "keeps one open issue of that --name and --title",
      "close REASON": "closes the issue of that --name, where one is open",
      "reviewed ENVIRONMENT…": "fails unless each has a reviewer, and admits workflows of main alone",
    },
    details: "FILE holds Markdown. GITHUB_TOKEN and GITHUB_REPOSITORY say whose and where.",
    flags: {
      name: { type: "string", value: "NAME", what: "by which it is found again" },
      title: { type: "string", what: "the issue's title" },
      "pull-request": { type: "string", value: "NUMBER", what: "the pull request's number" },
    },
    json: "whether it was created, edited, closed or left as it was; or what is wrong with the environments",
    load: async () => (await import("./github/cli.ts")).github,
  }),
];
