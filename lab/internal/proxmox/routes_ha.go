package proxmox

// Source of the schemas: Proxmox VE 9, pve-ha-manager, PVE/HA/Resources.pm and PVE/HA/Rules.pm.
var (
	auditsHA  = []access{needs("/", "Sys.Audit")}
	changesHA = []access{needs("/", "Sys.Console")}

	haResourceSettings = schema{
		"state": enum("started", "stopped", "enabled", "disabled", "ignored"), "comment": text().upTo(4096), "failback": flag(),
		"max_restart": atLeast(0), "max_relocate": atLeast(0),
	}
	haResourceKind = enum("vm", "ct")
	haRuleSettings = schema{
		"comment": text().upTo(4096), "disable": flag(), "affinity": enum("positive", "negative"), "strict": flag(),
		"nodes":     matching(`[a-zA-Z0-9-]+(?::\d+)?(?:[,;\s]+[a-zA-Z0-9-]+(?::\d+)?)*`),
		"resources": matching(`(?:vm|ct):\d+(?:[,;\s]+(?:vm|ct):\d+)*`),
	}
	haRuleKind = enum("node-affinity", "resource-affinity")
)

var haEndpoints = []endpoint{
	{"GET", "/cluster/ha/resources", schema{"type": haResourceKind}, auditsHA, listResources},
	{"POST", "/cluster/ha/resources", with(haResourceSettings, schema{"sid": haResourceID.need(), "type": haResourceKind, "group": text()}),
		changesHA, createResource},
	{"GET", "/cluster/ha/resources/{sid}", nil, auditsHA, getResource},
	{"PUT", "/cluster/ha/resources/{sid}", with(haResourceSettings, schema{"digest": digest, "delete": text().upTo(4096), "group": text()}),
		changesHA, updateResource},
	{"DELETE", "/cluster/ha/resources/{sid}", schema{"purge": flag()}, changesHA, deleteResource},
	{"GET", "/cluster/ha/rules", schema{"type": haRuleKind, "resource": haResourceID}, auditsHA, listRules},
	{"POST", "/cluster/ha/rules", with(haRuleSettings, schema{"rule": formatted(isConfigID).need(), "type": haRuleKind.need()}), changesHA, createRule},
	{"GET", "/cluster/ha/rules/{rule}", nil, auditsHA, getRule},
	{"PUT", "/cluster/ha/rules/{rule}", with(haRuleSettings, schema{"type": haRuleKind.need(), "digest": digest, "delete": text().upTo(4096)}), changesHA, updateRule},
	{"DELETE", "/cluster/ha/rules/{rule}", nil, changesHA, deleteRule},
}
