/** What a command of Hearth tells the program of a rollout that it carries out. */
export interface RolloutNote {
  /** Release of Kubernetes that runs. The program renders it until all machines have the next one. @default the stack file's */
  kubernetes?: string | undefined;
  /** Whether the plan of a rollout judges the quorum of etcd: it takes one machine at a time. @default false */
  isPlanned?: boolean | undefined;
}

const variable = "HEARTH_ROLLOUT";

/**
 * The environment by which a command tells the program that it carries a rollout out, and judges itself what goes out of service.
 * Without it the program refuses an update that takes more than one machine out of service.
 */
export const rolloutEnvironment = (note: RolloutNote = {}): Record<string, string> => ({
  [variable]: JSON.stringify(note),
});

/** What a command told; undefined if somebody runs Pulumi by hand. */
export const rolloutNote = (env: NodeJS.ProcessEnv): RolloutNote | undefined =>
  env[variable] === undefined ? undefined : (JSON.parse(env[variable]) as RolloutNote);

/** The configuration with the release of Kubernetes that runs: what the program renders has to be what the machines have. */
export const withRunningKubernetes = <C extends { cluster: { kubernetes: string } }>(
  config: C,
  note: RolloutNote | undefined,
): C => {
  const { kubernetes } = note ?? {};
  return kubernetes === undefined ? config : { ...config, cluster: { ...config.cluster, kubernetes } };
};
