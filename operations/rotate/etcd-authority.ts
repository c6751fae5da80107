import { Problem } from "../../toolchain/problem.ts";
import type { Rotation } from "./rotation.ts";

const refusal =
  "Hearth does not give etcd another authority in a running cluster: Talos knows one authority for etcd at a time and starts etcd anew only " +
  "with its machine, so members of the old and of the new one would not talk to each other. The way is another cluster with the same " +
  'content: docs/guides/somebody-else-has-it.md, "The authority of etcd"';

/**
 * The authority of etcd's members and clients.
 *
 * Source: siderolabs/talos v1.13.9, controllers/etcd/pki.go writes one authority; services/etcd.go has no APIRestartAllowed.
 */
export const etcdAuthority: Rotation = {
  name: "etcd-authority",
  what: "the authority that signs the certificates of etcd's members and of its clients",
  interrupts: "It is refused, because a running etcd cannot change it member by member.",
  refusal,
  rotate: () => Promise.reject(new Problem(refusal)),
};
