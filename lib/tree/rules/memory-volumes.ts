import { at, listAt, textAt } from "../../../infra/tree-objects.ts";
import type { Finding } from "../render.ts";
import { quantity } from "../requests.ts";
import { containerLists, podSpecOf } from "./images.ts";
import { called, everything, findingAt, type Rule } from "./rule.ts";

/**
 * Volumes in memory that their container has not the memory for. What a container writes to one counts as its own memory, so it is killed
 * when it has written that much.
 *
 * Source: Kubernetes, Volumes, emptyDir: "files you write count against the memory limit of the container that wrote them".
 */
export const memoryVolumes: Rule = (tree) =>
  everything(tree).flatMap((object) => {
    const spec = at(object.object, ...podSpecOf(object.kind));
    const volumes = listAt(spec, "volumes").filter((volume) => textAt(volume, "emptyDir", "medium") === "Memory");
    const sizes = new Map(volumes.map((volume) => [textAt(volume, "name") ?? "", sizeOf(volume)]));
    // Nobody can give a chart's volume a limit, and its container's limit ends it.
    const unlimited = (object.release === undefined ? [...sizes] : [])
      .filter(([, size]) => size === 0)
      .map(([name]) => name);
    return [
      ...unlimited.map((name) =>
        findingAt(tree, object, {
          message: `${called(object)}: the volume ${name} is in memory, and has no limit`,
          advice: "give it a sizeLimit that its containers' limits of memory allow",
        }),
      ),
      ...containerLists.flatMap((list) =>
        listAt(spec, list).flatMap((container): Finding[] => {
          const limit = quantity(textAt(container, "resources", "limits", "memory"));
          const written = listAt(container, "volumeMounts")
            .filter((mount) => at(mount, "readOnly") !== true)
            .map((mount) => textAt(mount, "name") ?? "")
            .filter((name) => sizes.has(name));
          const size = [...new Set(written)].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
          if (limit === 0 || size <= limit) return [];
          const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
          return [
            findingAt(tree, object, {
              message: `${called(object)}: ${textAt(container, "name") ?? ""} may write ${mebibytes(size)} to memory (${written.join(", ")}), and is killed at ${mebibytes(limit)}`,
              advice: "raise its limit of memory, or lower the volume's sizeLimit",
            }),
          ];
        }),
      ),
    ];
  });

const sizeOf = (volume: unknown): number => {
  const size = at(volume, "emptyDir", "sizeLimit");
  return typeof size === "number" ? size : quantity(typeof size === "string" ? size : undefined);
};
