/** An event of Pulumi's engine, as far as anything here reads it. Source: pulumi/pulumi, sdk/go/common/apitype/events.go. */
export interface EngineEvent {
  /** In seconds since 1970. */
  timestamp?: number;
  resourcePreEvent?: { metadata: StepMetadata };
  resOutputsEvent?: { metadata: StepMetadata };
  resOpFailedEvent?: { metadata: StepMetadata };
  diagnosticEvent?: DiagnosticEvent;
  policyEvent?: PolicyEvent;
  policyAnalyzeSummaryEvent?: PolicySummary;
  policyAnalyzeStackSummaryEvent?: PolicySummary;
  summaryEvent?: { resourceChanges?: Record<string, number>; result?: string; durationSeconds: number };
}

/** What the engine would do to a resource. */
export interface StepMetadata {
  op: string;
  urn: string;
  type: string;
  /** Names of the properties because of which it is replaced. */
  keys?: string[];
  /** Names of the properties that differ. */
  diffs?: string[];
  /** By the path of a property. */
  detailedDiff?: Record<string, { diffKind?: string; kind?: string; inputDiff?: boolean }> | null;
  /** Secrets in it are blinded. */
  old?: StateMetadata | null;
  new?: StateMetadata | null;
}

export interface StateMetadata {
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  protect?: boolean;
}

export interface DiagnosticEvent {
  urn?: string;
  message: string;
  severity: "debug" | "info" | "info#err" | "warning" | "error";
  ephemeral?: boolean;
}

export interface PolicyEvent {
  resourceUrn?: string;
  message: string;
  policyName: string;
  policyPackName: string;
  enforcementLevel: string;
}

export interface PolicySummary {
  policyPackName: string;
  passed?: string[];
  failed?: string[];
}

/** Reads a line that the engine printed; undefined if it is not an event. */
export const readEvent = (line: string): EngineEvent | undefined => {
  try {
    const event: unknown = JSON.parse(line);
    return typeof event === "object" && event !== null ? event : undefined;
  } catch {
    return undefined;
  }
};
