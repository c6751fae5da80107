import { resourceTypes } from "../../components/resource-types.ts";
import { ciliumProblems } from "../../components/network/cilium-values.ts";
import { ciliumNeeds } from "../../infra/cilium-needs.ts";
import { isSkipped, machineDocuments, setting } from "../machine-documents.ts";
import type { Inputs } from "../resource.ts";
import type { Finding, Rule } from "../rule.ts";

/** The settings of machines that Cilium needs. */
const wanted: [path: string[], is: (value: unknown) => boolean, value: string, why: string][] = [
  [["cluster", "network", "cni", "name"], (name) => name === "none", "none", "Talos would install Flannel beside it"],
  [["cluster", "proxy", "disabled"], (disabled) => disabled === true, "true", "Cilium replaces kube-proxy"],
  [
    ["machine", "features", "kubePrism", "enabled"],
    (on) => on === true,
    "true",
    "Cilium reaches the API through KubePrism",
  ],
  [["machine", "features", "kubePrism", "port"], (port) => port === 7445, "7445", "Cilium's values use that port"],
];

/** Requires settings with which Cilium starts on Talos, and runs without another CNI. */
export const ciliumOnTalos: Rule = {
  name: "cilium-on-talos",
  description: "Machines leave the network to Cilium, and its values suit Talos.",
  check: (resource, { surroundings: { cilium, config } }) => {
    if (resource.type === resourceTypes.machineConfiguration)
      return isSkipped(resource) ? [] : ofMachine(resource.name, machineDocuments(resource));
    if (resource.type !== resourceTypes.stack) return [];
    return ciliumProblems(cilium.values, ciliumNeeds(config)).map(({ path, problem, advice }) => ({
      problem: `Cilium's value ${path.join(".")} ${problem}`,
      advice: `in its HelmRelease, ${advice}`,
      subject: "cilium",
    }));
  },
};

const ofMachine = (name: string, documents: Inputs[]): Finding[] =>
  wanted
    .filter(([path, is]) => !is(setting(documents, ...path)))
    .map(([path, , value, why]) => ({
      problem: `the configuration of ${name} does not have ${path.join(".")}: ${value}, and ${why}`,
      advice: "remove the patch that changes it",
      subject: name,
    }));
