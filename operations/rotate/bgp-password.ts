import { bgpPasswordSecret } from "../../components/network/facts.ts";
import { nameOf } from "../../components/urn.ts";
import type { State } from "../../lib/engine/state.ts";
import { Problem } from "../../toolchain/problem.ts";
import { clusterSecretsIn } from "./drawn.ts";
import { exchangeSecret, type GivenCarrier } from "./given-secret.ts";
import { commitStep, type Rotation } from "./rotation.ts";

/**
 * The password of the BGP sessions between the machines and their routers.
 *
 * Cilium looks at the Secret, and resets the sessions of a peer whose password has changed. Nobody can try a password of TCP MD5 but by a
 * session. Source: cilium/cilium 0d505231, pkg/bgp/manager/reconciler/neighbor.go, Reconcile; pull request 25827.
 */
export const bgpPassword: Rotation = {
  name: "bgp-password",
  what: "the password of the BGP sessions with the routers",
  interrupts:
    "The BGP sessions of every machine, until its routers have the new password too. Addresses of load balancers are not announced meanwhile. " +
    "The new password is read from standard input.",
  rotate: async (surroundings) => {
    const { target } = surroundings;
    const { announce } = (await target.config()).network;
    if (announce.mode !== "bgp" || announce.authentication !== "password")
      throw new Problem(
        `Routers ask ${target.stack} for no password: its stack file has no network.announce with authentication: password`,
      );
    const { resumed, unproven, escrow } = await exchangeSecret(surroundings, {
      rotation: "bgp-password",
      key: "bgpPassword",
      name: "BGP password",
      carriers: bgpPasswordsIn,
      attempt: (password) => {
        requireKey(password);
        return Promise.resolve([
          "The password is not proven: only a session shows whether a router has the same, and none comes up until it has",
        ]);
      },
    });
    return {
      resumed,
      said: [`Machines of ${target.stack} use another BGP password`, ...unproven],
      left: [
        "set the new password on every router that announce.peers names, for each machine as its neighbor",
        "look whether every session is established: cilium bgp peers",
        ...commitStep(target, escrow, `Pulumi.${target.stack}.yaml`),
      ],
      escrow,
    };
  },
};

/** The Secret that Cilium reads the password from. */
export const bgpPasswordsIn = (state: State): GivenCarrier[] =>
  clusterSecretsIn(state).flatMap(({ urn, data }) =>
    nameOf(urn) === bgpPasswordSecret && data.password !== undefined ? [{ urn, value: data.password }] : [],
  );

/** The longest key of TCP MD5, in bytes. Source: Linux, include/uapi/linux/tcp.h, TCP_MD5SIG_MAXKEYLEN. */
const longest = 80;

const requireKey = (password: string): void => {
  if (Buffer.byteLength(password) > longest)
    throw new Problem(`The new BGP password has more than ${longest.toString()} bytes, which the kernel does not take`);
};
