import type { ConfigurationProblem } from "../error.ts";
import type { NodeConfig } from "../nodes.ts";
import type { Check } from "./index.ts";

const oddControlPlanes: Check = ({ nodes }) => {
  const count = Object.values(nodes).filter(({ role }) => role === "controlplane").length;
  if (count % 2 === 1) return [];
  return [
    {
      path: ["nodes"],
      problem: `${count} control planes cannot keep a quorum`,
      advice: "have 1, 3 or 5 with role: controlplane",
    },
  ];
};

const knownImage: Check = ({ images, nodes }) =>
  Object.entries(nodes)
    .filter(([, node]) => !(node.image in images))
    .map(([name, node]) => ({
      path: ["nodes", name, "image"],
      problem: `${node.image} is not a profile under images`,
      advice: `use one of ${Object.keys(images).join(", ")}`,
    }));

const knownPlatform: Check = ({ nodes, proxmox }) =>
  proxmox
    ? []
    : Object.entries(nodes)
        .filter(([, node]) => node.proxmox)
        .map(([name]) => ({
          path: ["nodes", name, "proxmox"],
          problem: "needs the key proxmox with the API's endpoint",
          advice: "add hearth:proxmox, or leave this out for bare metal",
        }));

const collisions =
  (field: string, pick: (node: NodeConfig) => string | number | undefined): Check =>
  ({ nodes }) =>
    Object.entries(nodes).flatMap(([name, node], index, all): ConfigurationProblem[] => {
      const value = pick(node);
      const earlier = all.slice(0, index).find(([, other]) => value !== undefined && pick(other) === value);
      if (!earlier) return [];
      return [
        {
          path: ["nodes", name, ...field.split(".")],
          problem: `${value} is also that of ${earlier[0]}`,
          advice: "give one of them another",
        },
      ];
    });

export const nodeChecks: Check[] = [
  oddControlPlanes,
  knownImage,
  knownPlatform,
  collisions("address", (node) => node.address),
  collisions("mac", (node) => node.mac),
  collisions("proxmox.vmId", (node) => node.proxmox?.vmId),
];
