import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

import { parse } from "yaml";

interface Kubeconfig {
  clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
  users: { user: { "client-certificate-data": string; "client-key-data": string } }[];
}

/** How long a control plane may take from the bootstrap to a ready API, in milliseconds. It pulls images first. */
const defaultTimeout = 15 * 60_000;

/**
 * Waits until the Kubernetes API of a kubeconfig is ready.
 *
 * Talos returns a kubeconfig as soon as it has the certificate authority, minutes before the API answers
 * (siderolabs/terraform-provider-talos#290).
 *
 * @param timeout in milliseconds
 * @throws Error that names the endpoint, if it is not ready in time
 */
export const apiReady = async (kubeconfig: string, timeout = defaultTimeout): Promise<void> => {
  const { clusters, users } = parse(kubeconfig) as Kubeconfig;
  const cluster = clusters[0]?.cluster;
  const user = users[0]?.user;
  if (!cluster || !user) throw new Error("The kubeconfig names no cluster and user");
  const deadline = Date.now() + timeout;
  let last = "no answer";
  while (Date.now() < deadline) {
    last = await probe(cluster, user);
    if (last === "200") return;
    await sleep(1000);
  }
  throw new Error(
    `The Kubernetes API at ${cluster.server} is not ready after ${timeout / 60_000} minutes (${last}); ` +
      "see what its control plane says: talosctl dmesg, talosctl service kubelet",
  );
};

const probe = (
  cluster: Kubeconfig["clusters"][number]["cluster"],
  user: Kubeconfig["users"][number]["user"],
): Promise<string> =>
  new Promise((resolve) => {
    const decode = (value: string) => Buffer.from(value, "base64");
    const options = {
      ca: decode(cluster["certificate-authority-data"]),
      cert: decode(user["client-certificate-data"]),
      key: decode(user["client-key-data"]),
      timeout: 5000,
    };
    const call = request(new URL("/readyz", cluster.server), options, (response) => {
      response.resume();
      resolve(String(response.statusCode));
    });
    call.on("timeout", () => call.destroy(new Error("no answer in 5 seconds")));
    call.on("error", (error) => {
      resolve(error.message);
    });
    call.end();
  });
