import type { ConfigurationProblem } from "../../config/error.ts";
import { certificatesIn } from "./certificates.ts";
import type { ProxmoxSettings } from "./settings.ts";

/** Problems of the settings that say whom to believe that it is Proxmox. */
export const trustProblems = (
  { ca, fingerprint, insecure }: ProxmoxSettings,
  now: Date = new Date(),
): ConfigurationProblem[] => [
  ...exclusive({ ca, fingerprint, insecure: insecure || undefined }),
  ...(ca === undefined ? [] : authorityProblems(ca, now)),
];

/** The fingerprint is the narrowest of them, and `insecure` would make the others useless. */
const exclusive = (given: Record<string, unknown>): ConfigurationProblem[] => {
  const [first, ...others] = Object.keys(given).filter((key) => given[key] !== undefined);
  return others.map((key) => ({
    path: ["proxmox", key],
    problem: `says whom to trust, and proxmox.${first ?? ""} does as well`,
    advice: "keep one of ca, fingerprint and insecure",
  }));
};

const authorityProblems = (pem: string, now: Date): ConfigurationProblem[] =>
  certificatesIn(pem).flatMap(({ ca: isAuthority, subject, validTo }) => {
    const path = ["proxmox", "ca"];
    const named = subject.split("\n").at(-1) ?? subject;
    if (!isAuthority)
      return [
        {
          path,
          problem: `${named} is a certificate that signs no others`,
          advice: "paste /etc/pve/pve-root-ca.pem of a host, or write proxmox.fingerprint instead",
        },
      ];
    if (new Date(validTo) < now)
      return [
        {
          path,
          problem: `${named} expired on ${validTo}`,
          advice: "paste the present /etc/pve/pve-root-ca.pem of a host",
        },
      ];
    return [];
  });
