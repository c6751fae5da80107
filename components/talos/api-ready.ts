import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

import { parse } from "yaml";

interface Kubeconfig {
  clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
  users: { user: { "client-certificate-data": string; "client-key-data": string } }[];
}

/** How long a control plane may take from the bootstrap to a ready API, in milliseconds. It pulls images first. */
const defaultTimeout = 15 * 60_000;

/** What has to be answered, with the milliseconds that it may take. */
const probes: { path: string; accept?: string; timeout: number }[] = [
  { path: "/readyz", timeout: 5000 },
  // As the plugin asks for it.
  { path: "/openapi/v2", accept: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", timeout: 120_000 },
];

/**
 * Waits until the Kubernetes API of a kubeconfig is ready, and has its schema at hand.
 *
 * Talos returns a kubeconfig as soon as it has the certificate authority, minutes before the API answers
 * (siderolabs/terraform-provider-talos#290). An API server puts its schema together when it is first asked for it, which takes long on a busy
 * machine with many definitions. The plugin asks once, for 32 seconds, and takes the cluster for unreachable after that. Source:
 * pulumi/pulumi-kubernetes v4.34.2, provider/pkg/provider/provider.go, Configure; k8s.io/client-go v0.36, discovery/discovery_client.go,
 * defaultTimeout.
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
    last = await answerOf(cluster, user);
    if (last === "200") return;
    await sleep(1000);
  }
  throw new Error(
    `The Kubernetes API at ${cluster.server} is not ready after ${timeout / 60_000} minutes (${last}); ` +
      "see what its control plane says: talosctl dmesg, talosctl service kubelet",
  );
};

type Cluster = Kubeconfig["clusters"][number]["cluster"];
type User = Kubeconfig["users"][number]["user"];

/** The first answer that is not as it should be, or 200. */
const answerOf = async (cluster: Cluster, user: User): Promise<string> => {
  for (const probe of probes) {
    const answer = await ask(cluster, user, probe);
    if (answer !== "200") return answer;
  }
  return "200";
};

const ask = (cluster: Cluster, user: User, { path, accept, timeout }: (typeof probes)[number]): Promise<string> =>
  new Promise((resolve) => {
    const decode = (value: string) => Buffer.from(value, "base64");
    const options = {
      ca: decode(cluster["certificate-authority-data"]),
      cert: decode(user["client-certificate-data"]),
      key: decode(user["client-key-data"]),
      headers: accept === undefined ? {} : { accept },
      timeout,
    };
    const call = request(new URL(path, cluster.server), options, (response) => {
      response.resume();
      response.on("end", () => {
        resolve(String(response.statusCode));
      });
      response.on("error", (error) => {
        resolve(error.message);
      });
    });
    call.on("timeout", () => call.destroy(new Error(`no answer in ${timeout / 1000} seconds`)));
    call.on("error", (error) => {
      resolve(error.message);
    });
    call.end();
  });
