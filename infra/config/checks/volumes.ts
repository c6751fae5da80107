import { diskSelectorProblem, selectsDisk } from "../../../components/talos/cel/disks.ts";
import type { ConfigurationProblem } from "../error.ts";
import { nearest } from "../nearest.ts";
import { bytes, leastEphemeral } from "../sizes.ts";
import type { Check, Draft } from "./check.ts";
import { at, patchesOf } from "./patches.ts";

type Node = Draft["nodes"][string];

/** The volumes of a node, each with its path. */
const volumesOf = (name: string, { ephemeral, volumes }: Node) => [
  ...(ephemeral ? [{ path: ["nodes", name, "ephemeral"], volume: ephemeral }] : []),
  ...Object.entries(volumes).map(([volume, value]) => ({ path: ["nodes", name, "volumes", volume], volume: value })),
];

const all = (draft: Draft) => Object.entries(draft.nodes).flatMap(([name, node]) => volumesOf(name, node));

/** Source: siderolabs/talos v1.13.9, pkg/machinery/config/types/block/volume_config.go. */
const sizesInOrder: Check = (draft) =>
  all(draft).flatMap(({ path, volume: { minSize, maxSize } }) => {
    const [least, most] = [bytes(minSize), bytes(maxSize)];
    return least !== undefined && most !== undefined && least > most
      ? [
          {
            path: [...path, "minSize"],
            problem: `${String(minSize)} is more than its maxSize ${String(maxSize)}`,
            advice: "make minSize the smaller one",
          },
        ]
      : [];
  });

/** EPHEMERAL is created first, and takes all free space unless it has a maximum size. */
const roomBesideEphemeral: Check = ({ nodes }) =>
  Object.entries(nodes).flatMap(([name, { ephemeral, volumes }]) =>
    ephemeral?.maxSize !== undefined || ephemeral?.disk !== undefined
      ? []
      : Object.entries(volumes)
          .filter(([, { disk }]) => selectsDisk(disk, { system: false }) === false)
          .filter(([, { disk }]) => selectsDisk(disk, { system: true }) !== false)
          .map(([volume]) => ({
            path: ["nodes", name, "volumes", volume, "disk"],
            problem: "is the disk that EPHEMERAL takes the whole rest of",
            advice: "give ephemeral of the node a maxSize",
          })),
  );

/** Talos compiles a selector before it takes a configuration. */
const selectorsCompile: Check = (draft) => [
  ...all(draft).flatMap(({ path, volume: { disk } }) => selectorProblem([...path, "disk"], disk)),
  ...patchesOf(draft).flatMap(({ path, patch }) => {
    const field = ["provisioning", "diskSelector", "match"];
    return volumeKinds.includes(String(patch.kind)) ? selectorProblem([...path, ...field], at(patch, field)) : [];
  }),
];

/** Kinds of documents whose selector is about disks. */
const volumeKinds = ["VolumeConfig", "UserVolumeConfig", "RawVolumeConfig", "SwapVolumeConfig"];

const selectorProblem = (path: PropertyKey[], selector: unknown): ConfigurationProblem[] => {
  const found = typeof selector === "string" ? diskSelectorProblem(selector) : undefined;
  if (!found) return [];
  const { problem, advice, unknown } = found;
  const meant = unknown && nearest(unknown.word, unknown.known);
  return [{ path, problem, advice: meant === undefined ? advice : `write ${meant}` }];
};

/** A disk is the one that Talos is installed on, or it is not. */
const selectorsSelect: Check = (draft) =>
  all(draft)
    .filter(
      ({ volume: { disk } }) =>
        disk !== undefined && [true, false].every((system) => selectsDisk(disk, { system }) === false),
    )
    .map(({ path }) => ({
      path: [...path, "disk"],
      problem: "selects no disk, whatever disks the machine has",
      advice: "write a condition that a disk can meet",
    }));

/** Source: siderolabs/talos v1.13.9, block/internal/volumes/volumeconfig/user_volumes.go; xfsprogs 6, mkfs/xfs_mkfs.c. */
const smallest = { xfs: 300 * 1024 ** 2, ext4: 100 * 1024 ** 2 };

const volumesHoldFilesystems: Check = ({ nodes }) =>
  Object.entries(nodes).flatMap(([name, { volumes }]) =>
    Object.entries(volumes).flatMap(([volume, { minSize, maxSize, filesystem = "xfs" }]) =>
      Object.entries({ minSize, maxSize })
        .filter(([, size]) => (bytes(size) ?? Infinity) < smallest[filesystem])
        .map(([key, size]) => ({
          path: ["nodes", name, "volumes", volume, key],
          problem: `${String(size)} is less than an ${filesystem} filesystem needs`,
          advice: `write at least ${String(smallest[filesystem] / 1024 ** 2)}MiB`,
        })),
    ),
  );

const ephemeralHoldsVar: Check = ({ nodes }) =>
  Object.entries(nodes).flatMap(([name, { ephemeral }]) =>
    (bytes(ephemeral?.maxSize) ?? Infinity) < leastEphemeral
      ? [
          {
            path: ["nodes", name, "ephemeral", "maxSize"],
            problem: `${String(ephemeral?.maxSize)} is less than the 2GiB that Talos needs for /var`,
            advice: "write a larger one; images, logs and etcd need 10GiB and more",
          },
        ]
      : [],
  );

export const volumeChecks: Check[] = [
  sizesInOrder,
  roomBesideEphemeral,
  selectorsCompile,
  selectorsSelect,
  volumesHoldFilesystems,
  ephemeralHoldsVar,
];
