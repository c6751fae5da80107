import { fine, listed, notAsked, problem, type Finding, type Known } from "./finding.ts";

/**
 * A PCI resource mapping as a host sees it.
 *
 * Source: pve-manager 9.2.11, PVE/API2/Cluster/Mapping/PCI.pm, index with check-node: it lists what the token may see, and what is wrong
 * with it on that host, among it that it has no device there.
 */
export interface Mapping {
  id: string;
  checks?: { severity: string; message: string }[];
}

/** @param wanted names of the mappings that machines get, by host */
export const mappingFindings = (
  wanted: Readonly<Record<string, readonly string[]>>,
  mappings: Readonly<Record<string, Known<Mapping[]>>>,
): Finding[] =>
  Object.entries(wanted).flatMap(([host, names]) => {
    const read = mappings[host] ?? { why: "it was not asked for" };
    return names.map((name) => mappingFinding(name, host, read));
  });

const mappingFinding = (name: string, host: string, read: Known<Mapping[]>): Finding => {
  const check = `Proxmox PCI mapping ${name} on ${host}`;
  if ("why" in read) return notAsked(check, read.why);
  const found = read.value.find(({ id }) => id === name);
  if (!found) {
    const others = listed(read.value.map(({ id }) => id)) || "none";
    return problem(
      check,
      `is not there, or the token may not see it; there are ${others}`,
      `make it below Datacenter, Resource Mappings, and give the token Mapping.Use on /mapping/pci/${name}`,
    );
  }
  const wrong = (found.checks ?? []).map(({ message }) => message.trim());
  return wrong.length > 0
    ? problem(
        check,
        listed(wrong),
        `correct it below Datacenter, Resource Mappings: lspci -nn on ${host} shows its devices`,
      )
    : fine(check, "is there");
};
