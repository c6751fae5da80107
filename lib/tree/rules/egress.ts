import { at, listAt, textAt } from "../../../infra/tree-objects.ts";
import { called, findingAt, type Rule, type TreeObject } from "./rule.ts";

/** The annotation by which a policy says why its pods may reach the whole Internet. */
export const openEgress = "hearth.dev/open-egress";

const policies = ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "NetworkPolicy"];

/** Half of all addresses is as good as all of them. */
const everywhere = (range: unknown): boolean => typeof range === "string" && /\/[01]$/.test(range);

/** Fields by which Cilium's rule names destinations. Source: cilium v1.20, pkg/policy/api/egress.go. */
const destinations = [
  ...["toEndpoints", "toRequires", "toCIDR", "toCIDRSet", "toEntities", "toServices", "toFQDNs", "toGroups", "toNodes"],
];

/**
 * Whether a rule of egress names no destination, which is everybody to both kinds. Only Cilium's empty rule allows nothing.
 *
 * Sources: kubernetes, networking/v1 NetworkPolicyEgressRule, `to`; cilium v1.20, pkg/policy/api/rule_validation.go, where a rule with
 * ports alone becomes one for all endpoints.
 */
const isForAll = (kind: string, rule: unknown): boolean =>
  kind === "NetworkPolicy"
    ? listAt(rule, "to").length === 0
    : ["toPorts", "icmps"].some((key) => listAt(rule, key).length > 0) &&
      destinations.every((key) => at(rule, key) === undefined);

/** Whether a rule of egress lets out to all addresses. */
const isOpen = (kind: string, rule: unknown): boolean =>
  isForAll(kind, rule) ||
  listAt(rule, "toEntities").some((entity) => entity === "all" || String(entity).startsWith("world")) ||
  listAt(rule, "toFQDNs").some((names) => /^\*+$/.test(textAt(names, "matchPattern") ?? "")) ||
  listAt(rule, "toCIDR").some(everywhere) ||
  listAt(rule, "toCIDRSet").some((set) => everywhere(at(set, "cidr"))) ||
  listAt(rule, "to").some((peer) => everywhere(at(peer, "ipBlock", "cidr")));

/** Whether Cilium sees the answers of the DNS server, which is how it knows the addresses of names. */
const seesNames = (rule: unknown): boolean =>
  listAt(rule, "toPorts").some((ports) => listAt(ports, "rules", "dns").length > 0);

/**
 * Network policies that let pods out to everybody. The destination is named by `toFQDNs`, or the policy says why it cannot be.
 *
 * Source: Cilium 1.20, "DNS based": a policy with names needs a DNS rule that the pods' lookups pass.
 */
export const egress: Rule = (tree) =>
  tree.objects
    .filter(({ kind }) => policies.includes(kind))
    .flatMap((policy) => {
      const rules = egressOf(policy);
      const open = rules.findIndex((rule) => isOpen(policy.kind, rule));
      const reason = at(policy.object, "metadata", "annotations", openEgress);
      const isExplained = typeof reason === "string" && reason.length >= shortestReason;
      return [
        ...(open >= 0 && !isExplained
          ? [
              findingAt(tree, policy, {
                path: ["spec", "egress", open],
                message: `${called(policy)} lets pods out to the whole Internet`,
                advice: `name the destination by toFQDNs, or say why not in the annotation ${openEgress}`,
              }),
            ]
          : []),
        ...(open < 0 && reason !== undefined
          ? [
              findingAt(tree, policy, {
                path: ["metadata", "annotations", openEgress],
                message: `${called(policy)} explains an open egress that it does not have`,
                advice: "remove the annotation",
              }),
            ]
          : []),
        ...(rules.some((rule) => listAt(rule, "toFQDNs").length > 0) && !rules.some(seesNames)
          ? [
              findingAt(tree, policy, {
                path: ["spec", "egress"],
                message: `${called(policy)} names destinations whose addresses Cilium never learns`,
                advice: 'give the rule for port 53 of kube-dns rules: { dns: [{ matchPattern: "*" }] }',
              }),
            ]
          : []),
      ];
    });

const egressOf = ({ object }: TreeObject): unknown[] => [
  ...listAt(object, "spec", "egress"),
  ...listAt(object, "specs").flatMap((spec) => listAt(spec, "egress")),
];

const shortestReason = 10;
