import { nameOf, typesOf } from "../../components/urn.ts";
import type { DiagnosticEvent, EngineEvent, PolicyEvent, StepMetadata } from "./events.ts";

/** A phase of the program: the resources below one kind of component. */
export interface Phase {
  name: string;
  started: number;
  /** Seconds from its first resource to its last one so far. */
  seconds: number;
  done: number;
  running: string[];
}

/** The phase that a resource belongs to: the domain of its outermost component, or its provider's name. */
export const phaseOf = (urn: string): string => {
  const types = typesOf(urn);
  const component = types.find((type) => type.startsWith("hearth:"));
  return component?.split(":")[1] ?? types.at(-1)?.split(":")[0] ?? "stack";
};

const shortType = (type: string): string => type.split(":").at(-1) ?? type;

/** A resource that could not be changed, and what its provider said. */
export interface FailedResource {
  type: string;
  name: string;
  message: string;
}

/** The events of one run of the engine. */
export class RunReport {
  readonly phases = new Map<string, Phase>();
  /** Resources changed, as `create Vm den-dev-cp01`. */
  readonly changes: string[] = [];
  readonly errors: string[] = [];
  /** The resources that errors are about. The stack itself stands for the program. */
  readonly failures: FailedResource[] = [];
  /** Advisory findings of policies. */
  readonly advice: string[] = [];
  /** Number of resources by operation; undefined until the run has ended. */
  counts: Record<string, number> | undefined;

  constructor(private readonly now: () => number = () => Date.now()) {}

  /** Adds an event, and returns its line for a log. */
  add(event: EngineEvent): string | undefined {
    if (event.resourcePreEvent !== undefined) return this.start(event.resourcePreEvent.metadata);
    if (event.resOutputsEvent !== undefined) return this.end(event.resOutputsEvent.metadata, "done");
    if (event.resOpFailedEvent !== undefined) return this.end(event.resOpFailedEvent.metadata, "FAILED");
    if (event.diagnosticEvent !== undefined) return this.diagnose(event.diagnosticEvent);
    if (event.policyEvent !== undefined) return this.refuse(event.policyEvent);
    if (event.summaryEvent !== undefined) {
      this.counts = event.summaryEvent.resourceChanges ?? {};
      return `summary: ${JSON.stringify(this.counts)} in ${event.summaryEvent.durationSeconds.toString()} s`;
    }
    return undefined;
  }

  /** Whether nothing was, or would be, changed. */
  get isUnchanged(): boolean {
    return this.counts !== undefined && Object.keys(this.counts).every((op) => ["same", "read"].includes(op));
  }

  private start({ op, urn, type }: StepMetadata): string | undefined {
    if (isNothing(op) || isOwn(type)) return undefined;
    const phase = this.phase(urn);
    phase.running.push(nameOf(urn));
    this.changes.push(`${op} ${shortType(type)} ${nameOf(urn)}`);
    return `${op} ${type} ${nameOf(urn)}`;
  }

  private end({ op, urn, type }: StepMetadata, outcome: string): string | undefined {
    if (isNothing(op) || isOwn(type)) return undefined;
    const phase = this.phase(urn);
    phase.running = phase.running.filter((name) => name !== nameOf(urn));
    phase.done += 1;
    phase.seconds = (this.now() - phase.started) / 1000;
    return `${op} ${type} ${nameOf(urn)}: ${outcome} after ${phase.seconds.toFixed(1)} s of ${phase.name}`;
  }

  private diagnose({ severity, message, urn }: DiagnosticEvent): string | undefined {
    if (severity === "debug") return undefined;
    const text = message.trim();
    const named = urn === undefined || urn === "" ? text : `${nameOf(urn)}: ${text}`;
    if (severity === "error" && text !== "update failed" && text !== "preview failed") {
      this.errors.push(named);
      if (urn !== undefined && urn !== "")
        this.failures.push({ type: typesOf(urn).at(-1) ?? "", name: nameOf(urn), message: text });
    }
    return `${severity}: ${named}`;
  }

  private refuse({ message, policyName, enforcementLevel }: PolicyEvent): string {
    const text = `${policyName}: ${plainText(message)}`;
    (enforcementLevel === "mandatory" ? this.errors : this.advice).push(text);
    return `policy, ${enforcementLevel}: ${text}`;
  }

  private phase(urn: string): Phase {
    const name = phaseOf(urn);
    const known = this.phases.get(name);
    if (known !== undefined) return known;
    const phase: Phase = { name, started: this.now(), seconds: 0, done: 0, running: [] };
    this.phases.set(name, phase);
    return phase;
  }
}

/** A message of the engine without its marks of colour, and without the policy's description, its first line. */
const plainText = (message: string): string =>
  message
    .replaceAll(/<\{%[^%]*%\}>/g, "")
    .trim()
    .split("\n")
    .slice(-1)
    .join("");

const isNothing = (op: string): boolean => ["same", "read", "refresh"].includes(op);
const isOwn = (type: string): boolean => type.startsWith("pulumi:") || type.startsWith("hearth:");
