import type { Kubernetes } from "./kubernetes.ts";

/**
 * When an API server began, as it says itself. Source: kubernetes, its health checks and metrics.
 *
 * @param server reached past the endpoint
 * @throws Error if it is not ready
 */
export const apiServerStart = async (server: Kubernetes): Promise<string> => {
  await server.text("/readyz");
  const [, start = ""] = /^process_start_time_seconds (\S+)/m.exec(await server.text("/metrics")) ?? [];
  return start;
};
