import type { HealthConfig } from "../../infra/config/rollout.ts";
import { evaluate, readBy } from "../../infra/config/health-expression.ts";
import type { Kubernetes, KubernetesObject } from "../cluster/kubernetes.ts";
import type { HealthCheck } from "./health-check.ts";
import { systems } from "./systems.ts";
import { messageOf } from "../../toolchain/problem.ts";

/** Whether the cluster is healthy. */
export interface Health {
  /** What does not hold. */
  problems: string[];
  /** What cannot hold, however long somebody waits: a mistake in an expression. */
  mistakes: string[];
  /** For how long everything has to hold after a machine is back, in milliseconds. */
  settles: number;
}

/** The expressions that a stack file asks for: its own, and those of the systems that it does not skip. */
export const checksOf = ({ expressions, skip }: Pick<HealthConfig, "expressions" | "skip">): HealthCheck[] => [
  ...expressions,
  ...Object.entries(systems)
    .filter(([system]) => !skip.some((each) => each === system))
    .flatMap(([, checks]) => checks.map((check) => ({ ...check, isOptional: true }))),
];

/** Evaluates expressions on the objects of a cluster. What cannot be read does not hold. */
export const readHealth = async (
  kubernetes: Pick<Kubernetes, "get" | "list">,
  checks: readonly HealthCheck[],
): Promise<Health> => {
  const all = await Promise.all(checks.map((check) => readCheck(kubernetes, check)));
  return {
    problems: all.flatMap(({ problems }) => problems),
    mistakes: all.flatMap(({ mistakes }) => mistakes),
    settles: Math.max(0, ...all.map(({ settles }) => settles)),
  };
};

interface Resource {
  name: string;
  kind: string;
  namespaced: boolean;
}

const readCheck = async (kubernetes: Pick<Kubernetes, "get" | "list">, check: HealthCheck): Promise<Health> => {
  const { apiVersion, kind, namespace, name, isOptional = false } = check;
  const mistaken = (mistake: string): Health => ({ problems: [], mistakes: [mistake], settles: 0 });
  try {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const found = await kubernetes.get<{ resources: Resource[] }>(root);
    // Those with a slash are parts of others, such as their status.
    const kinds = (found?.resources ?? []).filter((each) => !each.name.includes("/"));
    const resource = kinds.find((each) => each.kind === kind);
    if (!resource) {
      if (isOptional) return { problems: [], mistakes: [], settles: 0 };
      const others = kinds.map((each) => each.kind).join(", ");
      return mistaken(`The cluster has no kind ${kind} of ${apiVersion}${others === "" ? "" : `, but ${others}`}`);
    }
    if (namespace !== undefined && !resource.namespaced)
      return mistaken(`A ${kind} is in no namespace: leave ${namespace} out`);
    const objects = await kubernetes.list(
      `${root}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${resource.name}`,
    );
    const named = objects.filter(({ metadata }) => name === undefined || metadata.name === name);
    if (name !== undefined && named.length === 0) {
      const where = namespace === undefined ? "" : ` in the namespace ${namespace}`;
      return { problems: [`There is no ${kind} ${name}${where}`], mistakes: [], settles: 0 };
    }
    const now = new Date();
    const problems = named.flatMap((object) => healthProblem(check, { ...{ apiVersion, kind }, ...object }, now) ?? []);
    return { problems, mistakes: [], settles: named.length > 0 ? (check.settles ?? 0) : 0 };
  } catch (error) {
    return { problems: [`Objects of the kind ${kind} cannot be read: ${messageOf(error)}`], mistakes: [], settles: 0 };
  }
};

/** Why an object does not satisfy an expression, with what it has; undefined if it does. */
export const healthProblem = (check: HealthCheck, object: KubernetesObject, now: Date): string | undefined => {
  const { kind, expression, details } = check;
  const { namespace, name } = object.metadata;
  const subject = `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
  const has = [...readBy(expression), ...(details ? [details] : [])]
    .map((path) => `object.${path.join(".")} is ${shown(path.reduce<unknown>(child, object))}`)
    .join("; ");
  try {
    const value = evaluate(expression, object, now);
    if (value === true) return undefined;
    const why = value === false ? "does not hold" : `is ${shown(value)}, which is neither true nor false`;
    return `${subject}: ${expression} ${why}: ${has}`;
  } catch (error) {
    return `${subject}: ${expression} does not hold (${messageOf(error).split("\n")[0] ?? ""}): ${has}`;
  }
};

const child = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;

/** Letters of a value that are worth reading. */
const longest = 300;

const shown = (value: unknown): string => {
  if (value === undefined) return "missing";
  const text = areConditions(value)
    ? value
        .map(({ type, status, message }) => `${type}=${status}${status === "True" || !message ? "" : ` (${message})`}`)
        .join(", ")
    : JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? Number(inner) : inner));
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
};

const areConditions = (value: unknown): value is { type: string; status: string; message?: string }[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((each: unknown) => typeof child(each, "type") === "string" && typeof child(each, "status") === "string");
