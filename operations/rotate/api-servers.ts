import { setTimeout as sleep } from "node:timers/promises";

import type { HearthConfig } from "../../infra/config/index.ts";
import { apiServerStart } from "../../lib/cluster/api-server.ts";
import { Kubernetes } from "../../lib/cluster/kubernetes.ts";
import { Problem } from "../../toolchain/problem.ts";

/** How long an API server may take to restart, in milliseconds. */
const timeout = 180_000;

/** The API servers of a cluster, each past the shared address. */
export class ApiServers {
  private readonly planes: [string, string][];

  /** @param kubeconfig gives the one that is let in now */
  constructor(
    { nodes }: HearthConfig,
    private readonly kubeconfig: () => Promise<string>,
  ) {
    this.planes = Object.entries(nodes).flatMap(([name, { role, address }]) =>
      role === "controlplane" ? [[name, address] as [string, string]] : [],
    );
  }

  /** Waits until every one is ready. */
  async ready(): Promise<void> {
    await Promise.all(this.planes.map(([name]) => this.started(name)));
  }

  /**
   * Waits until one is ready, and gives when it started.
   *
   * @param before when it had started, if it has to restart
   */
  async started(name: string, before?: string): Promise<string> {
    const deadline = Date.now() + timeout;
    for (;;) {
      const started = await this.startOf(name).catch((error: unknown) => error as Error);
      if (typeof started === "string" && started !== before) return started;
      if (Date.now() > deadline) {
        const why = typeof started === "string" ? "it did not restart" : started.message;
        throw new Problem(`The API server of ${name} is not ready (${why}): look at it, and run this again`);
      }
      await sleep(1000);
    }
  }

  private async startOf(name: string): Promise<string> {
    return apiServerStart(new Kubernetes(await this.kubeconfig(), { host: new Map(this.planes).get(name) }));
  }
}
