import { resourceTypes } from "../../components/resource-types.ts";
import { resourceFacts } from "../../infra/platforms/index.ts";
import { machineDocuments, ofKind } from "../machine-documents.ts";
import type { Resource } from "../resource.ts";
import type { Finding, Rule } from "../rule.ts";

/** A claim to something that only one owner may have. */
interface Claim {
  /** The kind of claim, such as `address`. Values of different kinds never conflict. */
  kind: string;
  value: string;
  owner: string;
}

/** Finds machines, shared addresses and stacks that claim the same value. */
export const uniqueAddresses: Rule = {
  name: "unique-addresses",
  description: "Addresses, hardware addresses, VMIDs and the VIP each have one owner.",
  check: (resource, stack) => {
    if (resource.type === resourceTypes.stack) return acrossStacks(stack.surroundings.collisions);
    const taken = new Map(
      stack
        .earlier(resource)
        .flatMap(claims)
        .map((claim) => [keyOf(claim), claim.owner]),
    );
    return claims(resource).flatMap((claim): Finding[] => {
      const owner = taken.get(keyOf(claim));
      if (owner === undefined || owner === claim.owner) return [];
      return [
        {
          problem: `the ${claim.kind} ${claim.value} of ${claim.owner} is also that of ${owner}`,
          advice: "give one of them another in the stack file",
          subject: resource.name,
        },
      ];
    });
  },
};

const keyOf = ({ kind, value }: Claim): string => `${kind} ${value.toLowerCase()}`;

const acrossStacks = (problems: { path: PropertyKey[]; problem: string; advice: string }[]): Finding[] =>
  problems.map(({ path, problem, advice }) => ({
    problem: `${path.map(String).join(".")}: ${problem}`,
    advice,
    subject: path.map(String).join("."),
  }));

const claims = (resource: Resource): Claim[] => {
  const { type, name, inputs, provider } = resource;
  if (type === resourceTypes.machineConfiguration) return ofMachine(resource);
  const own = resourceFacts(type)?.claims?.(inputs, provider) ?? [];
  return own.map(({ kind, value }) => claim(kind, value, name));
};

const ofMachine = (resource: Resource): Claim[] => {
  const { name, inputs } = resource;
  const shared = ofKind(machineDocuments(resource), "Layer2VIPConfig").map((each) => String(each.name));
  return [
    ...(typeof inputs.node === "string" ? [claim("address", inputs.node, name)] : []),
    // Control planes share this address, so no machine owns it.
    ...shared.map((value) => claim("address", value, "the VIP")),
  ];
};

const claim = (kind: Claim["kind"], value: string, owner: string): Claim => ({ kind, value, owner });
