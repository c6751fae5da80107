import { releaseOf, talosReleases, type TalosRelease } from "../../../components/talos/releases/index.ts";
import type { ConfigurationProblem } from "../error.ts";
import { advise, nearest } from "../nearest.ts";
import type { Check } from "./check.ts";

const knownProfile: Check = ({ images, nodes }) =>
  images
    ? Object.entries(nodes)
        .filter(([, node]) => !(node.image in images))
        .map(([name, node]) => ({
          path: ["nodes", name, "image"],
          problem: `${node.image} is not a profile under images`,
          advice: advise(node.image, Object.keys(images)),
        }))
    : [];

const usedProfile: Check = ({ images = {}, nodes, complete }) =>
  complete
    ? Object.keys(images)
        .filter((profile) => Object.values(nodes).every(({ image }) => image !== profile))
        .map((profile) => ({
          path: ["images", profile],
          problem: "is not the image of any node",
          advice: "remove it, or name it in a node's image",
          warning: true,
        }))
    : [];

/**
 * A name close to an official one is a typo. Any other name may be newer than this list, as may an extension that the list has
 * for another minor: patch releases of Talos add extensions too.
 */
export const extensionCheckOf =
  (releases: readonly TalosRelease[]): Check =>
  ({ cluster, images = {} }) => {
    const release = cluster && releaseOf(cluster.talos, releases);
    const official = new Set((release ? [release] : releases).flatMap(({ extensions }) => extensions));
    const shortNames = [...official].map((extension) => extension.replace(/^siderolabs\//, ""));
    return Object.entries(images).flatMap(([profile, { extensions }]) =>
      extensions.flatMap((extension, index): ConfigurationProblem[] => {
        if (official.has(extension)) return [];
        const path = ["images", profile, "extensions", index];
        const elsewhere = releases.filter((other) => other.extensions.includes(extension)).map(({ minor }) => minor);
        if (release && elsewhere.length > 0) {
          const problem = `${extension} is not built for Talos ${release.minor}`;
          const advice = `use Talos ${elsewhere.join(" or ")}, or make sure that factory.talos.dev offers it for this release`;
          return [{ path, problem, advice, warning: true }];
        }
        const meant = nearest(extension.replace(/^siderolabs\//, ""), shortNames);
        const problem = `${extension} is not among the official extensions`;
        return meant === undefined
          ? [{ path, problem, advice: "make sure that factory.talos.dev offers it for this release", warning: true }]
          : [{ path, problem, advice: `write siderolabs/${meant}` }];
      }),
    );
  };

const knownExtensions = extensionCheckOf(talosReleases);

const extensionsOnce: Check = ({ images = {} }) =>
  Object.entries(images).flatMap(([profile, { extensions }]) =>
    extensions.flatMap((extension, index) =>
      extensions.indexOf(extension) < index
        ? [
            {
              path: ["images", profile, "extensions", index],
              problem: `${extension} is listed twice`,
              advice: "remove one of them",
            },
          ]
        : [],
    ),
  );

/**
 * Extensions for the hardware of one architecture, by the processors, graphics and boards that they are for.
 *
 * Source: siderolabs/extensions, release-1.13, the README of each.
 */
const hardwareOf = {
  amd64: ["amd-ucode", "intel-ucode", "intel-npu", "i915", "xe"],
  arm64: ["vc4", "panfrost", "rockchip-rknn", "revpi-firmware"],
};

const hardwareIsThere: Check = ({ images = {} }) =>
  Object.entries(images).flatMap(([profile, { extensions, architecture }]) => {
    const other = architecture === "amd64" ? "arm64" : "amd64";
    return extensions.flatMap((extension, index) =>
      hardwareOf[other].includes(extension.replace(/^siderolabs\//, ""))
        ? [
            {
              path: ["images", profile, "extensions", index],
              problem: `${extension} is for hardware of ${other}, and the profile is for ${architecture}`,
              advice: `remove it, or write architecture: ${other}`,
            },
          ]
        : [],
    );
  });

const overlaysAreOfBoards: Check = ({ images = {} }) =>
  Object.entries(images).flatMap(([profile, { overlay, architecture }]) =>
    overlay && architecture === "amd64"
      ? [
          {
            path: ["images", profile, "overlay"],
            problem: "is of a single-board computer, and the profile is for amd64",
            advice: "write architecture: arm64, or remove it",
          },
        ]
      : [],
  );

export const imageChecks: Check[] = [
  knownProfile,
  usedProfile,
  knownExtensions,
  extensionsOnce,
  hardwareIsThere,
  overlaysAreOfBoards,
];
