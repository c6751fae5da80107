import { nameOf } from "../../components/urn.ts";
import type { EngineEvent } from "../../lib/engine/events.ts";

/** What a policy says about a resource. */
export interface PolicyFinding {
  policy: string;
  resource: string | undefined;
  message: string;
  /** Whether it blocks an update. */
  mandatory: boolean;
}

export interface PolicyResults {
  /** Number of policies that found nothing wrong. */
  passed: number;
  findings: PolicyFinding[];
}

/** Returns the results of the policies in a run; undefined if none ran. */
export const policyResults = (events: readonly EngineEvent[], observer: string): PolicyResults | undefined => {
  const summaries = events
    .flatMap(({ policyAnalyzeSummaryEvent, policyAnalyzeStackSummaryEvent }) => [
      policyAnalyzeSummaryEvent,
      policyAnalyzeStackSummaryEvent,
    ])
    .filter((summary) => summary !== undefined && summary.policyPackName !== observer);
  const findings = events
    .flatMap(({ policyEvent }) => policyEvent ?? [])
    .map(({ resourceUrn, message, policyName, enforcementLevel }) => ({
      policy: policyName,
      resource: resourceUrn === undefined || resourceUrn === "" ? undefined : nameOf(resourceUrn),
      message: withoutColours(message).trim(),
      mandatory: enforcementLevel === "mandatory",
    }));
  if (summaries.length === 0 && findings.length === 0) return undefined;
  const broken = new Set([
    ...findings.map(({ policy }) => policy),
    ...summaries.flatMap((summary) => summary?.failed ?? []),
  ]);
  const passed = new Set(summaries.flatMap((summary) => summary?.passed ?? []).filter((name) => !broken.has(name)));
  return { passed: passed.size, findings: unique(findings) };
};

/** The engine's mark-up for colours. Source: pulumi/pulumi, sdk/go/common/diag/colors. */
export const withoutColours = (text: string): string => text.replaceAll(/<\{%[^%]*%\}>/g, "");

const unique = (findings: PolicyFinding[]): PolicyFinding[] =>
  [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()].sort(
    (a, b) => Number(b.mandatory) - Number(a.mandatory),
  );
