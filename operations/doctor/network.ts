import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";

import { resourceTypes } from "../../components/resource-types.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { isLab } from "../../infra/config/lab.ts";
import { reach } from "../../lib/cluster/reach.ts";
import { ofType } from "../../lib/engine/state.ts";
import { answers } from "../rebuild/route.ts";
import type { Subject } from "./doctor.ts";
import { fine, known, notAsked, problem, warning, type Finding, type Known } from "./finding.ts";

/** What is known of the network, seen from this computer. */
export interface NetworkFacts {
  /** Whether anything answers at the gateway. */
  hasGateway: boolean;
  /** Whether the Kubernetes API's port is open at the VIP; undefined without a VIP. */
  vip: boolean | undefined;
  /** Whether the state has a cluster; undefined if it cannot be read. */
  hasCluster: boolean | undefined;
  /** Whether each name server resolves a name of the Internet. */
  nameservers: Record<string, Known<true>>;
  /** Seconds that this computer's clock is ahead of each time server's. */
  timeServers: Record<string, Known<number>>;
  /** The HTTP status of each registry. */
  registries: Record<string, Known<number>>;
}

export const networkFindings = ({ network, cluster }: HearthConfig, facts: NetworkFacts): Finding[] => [
  facts.hasGateway
    ? fine(`network gateway ${network.gateway}`, "answers")
    : warning(
        `network gateway ${network.gateway}`,
        "does not answer from here, on the ports 443 and 53",
        "look at network.gateway; without it the machines reach no registry",
      ),
  ...(cluster.vip === undefined || facts.vip === undefined
    ? []
    : [vipFinding(cluster.vip, facts.vip, facts.hasCluster)]),
  ...network.nameservers.map((address) => nameserverFinding(address, facts.nameservers[address])),
  ...network.timeServers.map((server) => timeFinding(server, facts.timeServers[server])),
  ...Object.entries(facts.registries).map(([host, status]) => registryFinding(host, status)),
];

const vipFinding = (vip: string, isOpen: boolean, hasCluster: boolean | undefined): Finding => {
  const check = `network VIP ${vip}`;
  if (hasCluster === undefined) return notAsked(check, "whether the cluster should have it, only the state says");
  if (hasCluster) {
    return isOpen
      ? fine(check, "answers as the Kubernetes API")
      : problem(
          check,
          "does not answer on port 6443, and the cluster is bootstrapped",
          "look at etcd and at the control planes: talosctl health",
        );
  }
  return isOpen
    ? problem(
        check,
        "something answers on port 6443, and this cluster is not made yet",
        "give cluster.vip another address, or that machine",
      )
    : fine(check, "is free");
};

const nameserverFinding = (address: string, read: Known<true> | undefined): Finding => {
  const check = `network name server ${address}`;
  if (read === undefined) return notAsked(check, "a lab's machines resolve no name by it");
  return "why" in read
    ? problem(
        check,
        `does not resolve: ${read.why}`,
        "correct network.nameservers, or look at that server and at the route from here",
      )
    : fine(check, "resolves names of the Internet");
};

/** Seconds by which clocks may differ. */
const clockSkew = 60;

const timeFinding = (server: string, ahead: Known<number> | undefined): Finding => {
  const check = `network time server ${server}`;
  if (ahead === undefined) return notAsked(check, "a lab's machines have this computer's clock");
  if ("why" in ahead) {
    return problem(
      check,
      `does not tell the time: ${ahead.why}`,
      "correct network.timeServers, or let UDP 123 through: Talos waits for the time before it starts",
    );
  }
  const seconds = Math.round(ahead.value);
  return Math.abs(seconds) <= clockSkew
    ? fine(check, "tells the time")
    : problem(
        check,
        `says another time than this computer, by ${Math.abs(seconds).toString()} s`,
        "set the clock of whichever is wrong",
      );
};

const registryFinding = (host: string, status: Known<number>): Finding => {
  const check = `network registry ${host}`;
  if ("why" in status)
    return problem(check, `does not answer: ${status.why}`, "look at the network: the machines pull images from there");
  return status.value >= 500
    ? warning(check, `answers ${status.value.toString()}`, "wait until it is well before a deployment")
    : fine(check, "answers");
};

/** Registries of Talos and Flux, of Cilium, and of Kubernetes. */
const registries = ["ghcr.io", "quay.io", "registry.k8s.io"];

/** How long a server may take to answer, in milliseconds. */
const answerTimeout = 4000;

const resolves = (address: string, name: string): Promise<Known<true>> =>
  known(async () => {
    const resolver = new Resolver({ timeout: answerTimeout, tries: 1 });
    resolver.setServers([address]);
    await resolver.resolve4(name);
    return true as const;
  });

/** Seconds between 1900 and 1970. Source: RFC 5905, section 6. */
const ntpEpoch = 2_208_988_800;

/** Asks a time server by SNTP. Source: RFC 4330, section 5: version 4, client; the transmit timestamp is at byte 40. */
const ahead = (server: string): Promise<Known<number>> =>
  known(
    () =>
      new Promise<number>((resolve, reject) => {
        const socket = createSocket("udp4");
        const timer = setTimeout(() => {
          socket.close();
          reject(new Error(`no answer in ${(answerTimeout / 1000).toString()} s`));
        }, answerTimeout);
        const end = (work: () => void): void => {
          clearTimeout(timer);
          socket.close();
          work();
        };
        socket.once("error", (error) => {
          end(() => {
            reject(error);
          });
        });
        socket.once("message", (message) => {
          end(() => {
            if (message.length < 48) reject(new Error("its answer is too short"));
            else resolve(Date.now() / 1000 - (message.readUInt32BE(40) - ntpEpoch));
          });
        });
        const request = Buffer.alloc(48);
        request[0] = 0x23;
        socket.send(request, 123, server, (error) => {
          if (error)
            end(() => {
              reject(error);
            });
        });
      }),
  );

const asked = async <T>(names: readonly string[], ask: (name: string) => Promise<T>): Promise<Record<string, T>> =>
  Object.fromEntries(await Promise.all(names.map(async (name) => [name, await ask(name)] as const)));

/** The network, seen from this computer. A lab has neither name servers nor time servers. */
export const network: Subject = {
  name: "network",
  examine: async ({ config, state, internet }) => {
    const { network: net, cluster, imageFactory } = config;
    const simulated = isLab(net);
    const [hasGateway, vip, nameservers, timeServers, found] = await Promise.all([
      answers(net.gateway),
      cluster.vip === undefined ? undefined : reach(cluster.vip, 6443, 2000).then((is) => is === "open"),
      simulated ? {} : asked(net.nameservers, (address) => resolves(address, new URL(imageFactory).hostname)),
      simulated ? {} : asked(net.timeServers, ahead),
      asked(
        registries.filter((host) => !simulated || host !== "registry.k8s.io"),
        (host) => known(async () => (await internet.ask(`https://${host}/v2/`)).status),
      ),
    ]);
    return networkFindings(config, {
      ...{ hasGateway, vip, nameservers, timeServers, registries: found },
      hasCluster:
        "why" in state
          ? undefined
          : state.value !== undefined && ofType(state.value, resourceTypes.bootstrap).length > 0,
    });
  },
};
