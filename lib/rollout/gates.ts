/** What is read of a cluster before a step, and after it. What could not be read is a problem, not an absence. */
export interface Readings {
  /** Each control plane's own view of etcd. */
  etcd: EtcdView[];
  nodes: NodeReading[];
  /** The API server of each control plane. */
  apis: { machine: string; problem?: string | undefined }[];
}

/** What the etcd member of a control plane says. */
export interface EtcdView {
  machine: string;
  /** Why it says nothing; undefined if it does. */
  problem?: string | undefined;
  /** Identifier of its own member. */
  id?: string | undefined;
  /** Identifier of the leader. */
  leader?: string | undefined;
  members: { name: string; isVoting: boolean }[];
  alarms: string[];
}

export interface NodeReading {
  name: string;
  isReady: boolean;
  message: string;
  isCordoned: boolean;
  /** How it was before a rollout took it out of service; undefined if none did. */
  mark?: string | undefined;
  /** Whether it has a taint, so that most pods do not go there. @default false */
  isTainted?: boolean | undefined;
  /** The boot of the machine that reported it last. */
  boot: string;
}

/** What the readings are held to. */
export interface Expected {
  /** Machines of the cluster by name, as they are now. */
  machines: Record<string, { role: "controlplane" | "worker" }>;
  /** The machine that may be out of service: the one that the step is about. */
  except?: string | undefined;
  /** Whether that machine may be outside of etcd as well, because it joins or leaves. @default false */
  isOutside?: boolean | undefined;
}

/**
 * Returns why no machine may be taken out of service now.
 *
 * Etcd has all its members, all of them vote and agree on a leader, and none has an alarm. Every other node is Ready. The API answers on
 * every control plane. Of a machine that joins or leaves, nothing of that is expected.
 */
export const gateProblems = (
  { machines, except, isOutside = false }: Expected,
  { etcd, nodes, apis }: Readings,
): string[] => {
  const outside = isOutside ? except : undefined;
  const planes = Object.keys(machines).filter((name) => machines[name]?.role === "controlplane" && name !== outside);
  return [
    ...etcdProblems(
      planes,
      etcd.filter(({ machine }) => machine !== outside),
      outside,
    ),
    ...Object.keys(machines)
      .filter((name) => name !== except)
      .flatMap((name) => nodeProblem(name, nodes)),
    ...planes.flatMap((name) => {
      const api = apis.find(({ machine }) => machine === name);
      const problem = api ? api.problem : "nobody asked it";
      return problem === undefined ? [] : [`The Kubernetes API of ${name} does not answer: ${problem}`];
    }),
  ];
};

/** Whether a member of etcd knows a leader, which only a quorum elects. */
export const hasLeader = (views: readonly EtcdView[]): boolean => views.some(({ leader }) => leader !== undefined);

/** Why etcd decides nothing. Nothing where it has a leader. */
export const quorumProblems = (views: readonly EtcdView[]): string[] =>
  hasLeader(views)
    ? []
    : etcdProblems(
        views.map(({ machine }) => machine),
        views,
        undefined,
      );

const etcdProblems = (planes: readonly string[], views: readonly EtcdView[], outside: string | undefined): string[] => {
  const problems = planes.flatMap((name) => {
    const view = views.find(({ machine }) => machine === name);
    if (view?.problem !== undefined || view === undefined)
      return [`The etcd member of ${name} does not answer: ${view?.problem ?? "nobody asked it"}`];
    if (view.leader === undefined) return [`The etcd member of ${name} knows no leader`];
    return membersProblems(name, planes, {
      ...view,
      members: view.members.filter((member) => member.name !== outside),
    });
  });
  const leaders = new Set(views.flatMap(({ leader }) => leader ?? []));
  const alarms = [...new Set(views.flatMap(({ alarms }) => alarms))];
  return [
    ...problems,
    ...(leaders.size > 1 ? ["The members of etcd do not agree on a leader"] : []),
    ...alarms.map((alarm) => `etcd has the alarm ${alarm}: see \`talosctl etcd alarm list\``),
  ];
};

const membersProblems = (name: string, planes: readonly string[], { members }: EtcdView): string[] => {
  const voting = members.filter(({ isVoting }) => isVoting).map((member) => member.name);
  const missing = planes.filter((plane) => !voting.includes(plane));
  const others = members.map((member) => member.name).filter((member) => !planes.includes(member));
  return [
    ...missing.map((plane) => `${name} does not count ${plane} among etcd's voting members`),
    ...others.map((other) => `${name} counts ${other} among etcd's members, which is no control plane of the cluster`),
  ];
};

const nodeProblem = (name: string, nodes: readonly NodeReading[]): string[] => {
  const node = nodes.find((each) => each.name === name);
  if (!node) return [`The cluster has no node ${name}`];
  return node.isReady ? [] : [`The node ${name} is not Ready: ${node.message}`];
};
