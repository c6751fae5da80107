import { resourceTypes } from "../../components/resource-types.ts";
import { nameOf } from "../../components/urn.ts";
import { isMachineType } from "../../infra/platforms/index.ts";
import { resourcesOf, type State, type StateResource } from "../../lib/engine/state.ts";

/** Resources of one kind that a destroy deletes. */
export interface Loss {
  what: string;
  names: string[];
}

const kinds: { what: string; is: (resource: StateResource) => boolean }[] = [
  { what: "virtual machines, with all that is on their disks", is: ({ type }) => isMachineType(type) },
  { what: "machines that are wiped, and wait for another configuration", is: (resource) => isWiped(resource) },
  { what: "tunnels", is: ({ type }) => type === resourceTypes.tunnel },
  { what: "DNS records", is: ({ type }) => type === resourceTypes.dnsRecord },
  { what: "deploy keys at GitHub", is: ({ type }) => type === resourceTypes.deployKey },
  { what: "webhooks at GitHub", is: ({ type }) => type === resourceTypes.webhook },
  {
    what: "root secrets of the state, which the escrow keeps",
    is: ({ type }) => type === resourceTypes.machineSecrets || type === resourceTypes.password,
  },
];

/** The resources that a destroy deletes and no update can restore, by kind. */
export const losses = (state: State): Loss[] =>
  kinds
    .map(({ what, is }) => ({
      what,
      names: resourcesOf(state)
        .filter(is)
        .map(({ urn }) => nameOf(urn)),
    }))
    .filter(({ names }) => names.length > 0);

/** Bare metal is reset when its configuration is deleted; a virtual machine goes with its disks. */
const isWiped = ({ type, inputs }: StateResource): boolean =>
  type === resourceTypes.machineConfiguration && (inputs?.onDestroy as { reset?: boolean } | undefined)?.reset === true;

/**
 * Whether an earlier destroy began: its first step is to remove the protection of everything. A rotation or an exemption removes
 * that of single resources.
 *
 * From then on the state may lack root secrets, so no escrow may be written from it.
 */
export const hasBegun = (state: State): boolean => resourcesOf(state).every(({ protect }) => protect !== true);
