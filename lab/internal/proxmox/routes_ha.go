package proxmox

// Source of the schemas: Proxmox VE 9, pve-ha-manager, PVE/HA/Resources.pm and PVE/HA/Rules.pm.
var (
	auditsHA  = []access{needs("/", "Sys.Audit")}
	changesHA = []access{needs("/", "Sys.Console")}

	haResourceSettings = schema{
		"state": enum("started", "stopped", "enabled", "disabled", "ignored"), "comment": text().upTo(4096), "failback": flag(),
		"max_restart": atLeast(0), "max_relocate": atLeast(0),
	}
	haResourceKind = enum("ct", "vm")
	haRuleKind     = enum("node-affinity", "resource-affinity")
)

// haRuleSettings are the properties of each type of rule. With isNew, those that a new rule needs are required.
func haRuleSettings(isNew bool) schema {
	const nodes, resources = "node-affinity", "resource-affinity"
	return schema{
		"comment": text().upTo(4096).only(false, nodes, resources), "disable": flag().only(false, nodes, resources),
		"resources": formatted(each(isHAResourceID)).only(isNew, nodes, resources),
		"nodes":     formatted(each(isHANode)).only(isNew, nodes), "strict": flag().only(false, nodes),
		"affinity": enum("positive", "negative").only(isNew, resources),
	}
}

var haEndpoints = []endpoint{
	{"GET", "/cluster/ha/resources", schema{"type": haResourceKind}, auditsHA, listResources},
	{"POST", "/cluster/ha/resources", with(haResourceSettings, schema{"sid": haResourceID.need(), "type": haResourceKind, "group": formatted(isConfigID)}),
		changesHA, createResource},
	{"GET", "/cluster/ha/resources/{sid}", nil, auditsHA, getResource},
	{"PUT", "/cluster/ha/resources/{sid}", with(haResourceSettings, schema{"digest": clusterDigest, "delete": configIDs, "group": formatted(isConfigID)}),
		changesHA, updateResource},
	{"DELETE", "/cluster/ha/resources/{sid}", schema{"purge": flag()}, changesHA, deleteResource},
	{"GET", "/cluster/ha/rules", schema{"type": haRuleKind, "resource": text()}, auditsHA, listRules},
	{"POST", "/cluster/ha/rules", with(haRuleSettings(true), schema{"rule": formatted(isConfigID).need(), "type": haRuleKind.need()}), changesHA, createRule},
	{"GET", "/cluster/ha/rules/{rule}", nil, auditsHA, getRule},
	{"PUT", "/cluster/ha/rules/{rule}", with(haRuleSettings(false), schema{"type": haRuleKind.need(), "digest": clusterDigest, "delete": configIDs}), changesHA, updateRule},
	{"DELETE", "/cluster/ha/rules/{rule}", nil, changesHA, deleteRule},
}
