import { request, type RequestOptions } from "node:https";
import { parse } from "yaml";
import { Problem } from "../../toolchain/problem.ts";

interface KubeconfigFile {
  clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
  users: { user: { "client-certificate-data": string; "client-key-data": string } }[];
}

/** A Kubernetes object as far as the lab reads it. */
export interface KubernetesObject {
  metadata: {
    name: string;
    namespace?: string;
    creationTimestamp?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec?: Record<string, unknown>;
  status?: {
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
    [key: string]: unknown;
  };
  data?: Record<string, string>;
}

/** The state of an object's condition `Ready`. */
export const readiness = (object: KubernetesObject): { isReady: boolean; message: string } => {
  const ready = object.status?.conditions?.find(({ type }) => type === "Ready");
  return { isReady: ready?.status === "True", message: ready?.message ?? "not reconciled yet" };
};

/** Port of the API server on every control plane. */
const apiServerPort = 6443;

/** The API does not do it now. Its answer says why. */
export class Unanswered extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** How a client reaches the API. */
export interface KubernetesOptions {
  /** Another control plane than the kubeconfig's endpoint. */
  host?: string | undefined;
  /** How long an answer may take, in milliseconds. @default 10000 */
  timeout?: number;
  /** Whether a connection serves several requests. One that outlives its server fails the next request. @default true */
  isReused?: boolean;
}

/** How often an object may change between its reading and its writing. The kubelet of a node reports every few seconds. */
const adjustments = 10;

/** A client of the Kubernetes API that a kubeconfig names. */
export class Kubernetes {
  private readonly options: RequestOptions;

  private readonly timeout: number;

  constructor(kubeconfig: string, { host, timeout = 10_000, isReused = true }: KubernetesOptions = {}) {
    this.timeout = timeout;
    const { clusters, users } = parse(kubeconfig) as KubeconfigFile;
    const [cluster] = clusters;
    const [user] = users;
    if (cluster === undefined || user === undefined)
      throw new Problem("The stack's kubeconfig has no cluster or no user");
    const { hostname, port } = new URL(cluster.cluster.server);
    const decode = (data: string): Buffer => Buffer.from(data, "base64");
    this.options = {
      hostname: host ?? hostname,
      port: host === undefined ? port : apiServerPort,
      ca: decode(cluster.cluster["certificate-authority-data"]),
      cert: decode(user.user["client-certificate-data"]),
      key: decode(user.user["client-key-data"]),
      timeout,
      ...(!isReused && { agent: false }),
    };
  }

  /** Gets an object, or undefined where neither it nor its kind exists. */
  async get<T>(path: string): Promise<T | undefined> {
    const { status, body } = await this.ask("GET", path);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`GET ${path} answers ${status.toString()}: ${body.slice(0, 200)}`);
    return JSON.parse(body) as T;
  }

  /** Lists the objects below a path; none where their kind does not exist. */
  async list(path: string): Promise<KubernetesObject[]> {
    return (await this.get<{ items: KubernetesObject[] }>(path))?.items ?? [];
  }

  /** Gets text, such as a container's log. */
  async text(path: string): Promise<string> {
    const { status, body } = await this.ask("GET", path);
    if (status !== 200) throw new Error(`GET ${path} answers ${status.toString()}: ${body.slice(0, 200)}`);
    return body;
  }

  /** Sets an annotation on an object. */
  async annotate(path: string, name: string, value: string): Promise<void> {
    await this.merge(path, { metadata: { annotations: { [name]: value } } });
  }

  /** Merges a patch into an object. */
  async merge(path: string, patch: object): Promise<void> {
    const { status, body } = await this.ask("PATCH", path, JSON.stringify(patch));
    if (status !== 200) throw new Error(`PATCH ${path} answers ${status.toString()}: ${body.slice(0, 200)}`);
  }

  /**
   * Merges a patch into an object as it is now, and reads it again where somebody changes it meanwhile.
   *
   * @param patchOf the patch of the object that was read, or undefined where there is nothing to do
   * @returns whether it was changed
   */
  async adjust(
    path: string,
    patchOf: (object: KubernetesObject) => { metadata?: object; spec?: object } | undefined,
  ): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      const object = await this.get<KubernetesObject>(path);
      const patch = object && patchOf(object);
      if (!object || !patch) return false;
      const { resourceVersion } = object.metadata;
      const versioned = { ...patch, metadata: { ...patch.metadata, resourceVersion } };
      const { status, body } = await this.ask("PATCH", path, JSON.stringify(versioned));
      if (status === 200) return true;
      if (status !== 409 || attempt === adjustments)
        throw new Error(`PATCH ${path} answers ${status.toString()}: ${body.slice(0, 200)}`);
    }
  }

  /** Deletes an object, if it is there, without what its finalizers would wait for. */
  async forget(path: string): Promise<void> {
    await this.delete(path);
    const { status, body } = await this.ask("PATCH", path, JSON.stringify({ metadata: { finalizers: null } }));
    if (status !== 404 && status >= 300)
      throw new Error(`PATCH ${path} answers ${status.toString()}: ${body.slice(0, 200)}`);
  }

  /** Creates an object below a path. */
  async create(path: string, object: object): Promise<void> {
    const { status, body } = await this.ask("POST", path, JSON.stringify(object), "application/json");
    if (status !== 201) throw new Error(`POST ${path} answers ${status.toString()}: ${body.slice(0, 200)}`);
  }

  /**
   * Asks for the eviction of a pod, which its budget may refuse for now. None is gone already.
   *
   * @throws Unanswered with status 429 where a budget does not allow it yet
   */
  async evict(namespace: string, name: string): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { namespace, name } };
    const { status, body } = await this.ask("POST", path, JSON.stringify(eviction), "application/json");
    if (status !== 404 && status >= 300) throw new Unanswered(status, messageOf(body));
  }

  /** Deletes an object, if it is there. */
  async delete(path: string): Promise<void> {
    const { status, body } = await this.ask("DELETE", path);
    if (status !== 404 && status >= 300)
      throw new Error(`DELETE ${path} answers ${status.toString()}: ${body.slice(0, 200)}`);
  }

  /** Asks for anything that the API serves, such as a Service behind its proxy. Whatever it answers is no error here. */
  ask(
    method: string,
    path: string,
    body?: string,
    type = "application/merge-patch+json",
  ): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { "Content-Type": type };
      const asked = request({ ...this.options, method, path, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
        });
      });
      asked.on("timeout", () => asked.destroy(new Error(`${method} ${path} took more than ${this.timeout / 1000} s`)));
      asked.on("error", reject);
      asked.end(body);
    });
  }
}

/** The message of a Status that the API answers with. */
const messageOf = (body: string): string => {
  try {
    const { message, details } = JSON.parse(body) as {
      message?: string;
      details?: { causes?: { message?: string }[] };
    };
    return [message, ...(details?.causes ?? []).map((cause) => cause.message)].filter(Boolean).join(" ");
  } catch {
    return body.slice(0, 200);
  }
};
