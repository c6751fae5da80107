import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { decryptedSecrets, encryptedSecrets, nodeStates, requireNothingMissing, unreadyNodes } from "./checks.ts";
import { duration, type Display } from "../lib/terminal/display.ts";
import type { Engine } from "./engine.ts";
import { describeChanges, describeProgress } from "../lib/engine/describe.ts";
import type { RunReport } from "../lib/engine/report.ts";
import { waitForFlux, type FluxObject } from "../lib/cluster/flux.ts";
import type { LabFolder } from "../lib/engine/lab-folder.ts";
import type { Context } from "./context.ts";
import { interruptible } from "./interrupt.ts";
import type { MemoryUse } from "./supervisor.ts";
import { Kubernetes } from "../lib/cluster/kubernetes.ts";
import type { LabConfig } from "./lab-config.ts";
import type { Lab } from "./lab.ts";
import { finishInterrupted, isInterrupted } from "./recovery.ts";
import type { ReadTree } from "./tree-reading.ts";

/** How long each phase took, in seconds, in the order in which the phases began. */
type Times = Map<string, number>;

const timed = async <T>(times: Times, name: string, work: () => Promise<T>): Promise<T> => {
  const started = Date.now();
  try {
    return await work();
  } finally {
    times.set(name, (Date.now() - started) / 1000);
  }
};

/** Brings a stack from any state to a platform that Flux keeps at the repository's commit. */
export const up = async (lab: Lab, context: Context): Promise<void> => {
  const { display } = context;
  const times: Times = new Map();
  const { config, engine } = await running(lab, context, times);
  if (await isInterrupted(lab)) {
    await timed(times, "recovery", () => finishInterrupted(lab, engine.stack, context, () => keepOutputs(lab, engine)));
  } else {
    const report = await bringUp(engine, context);
    if (report !== undefined) for (const { name, seconds } of report.phases.values()) times.set(name, seconds);
  }
  const outputs = await keepOutputs(lab, engine);
  const revision = await lab.revision(config);
  const kubernetes = new Kubernetes(outputs.kubeconfig ?? "");
  const objects = await timed(times, "flux", () =>
    waitForFlux(kubernetes, {
      revision,
      signal: context.signal,
      onProgress: (_, waitingFor) => {
        display.live(`Flux: ${waitingFor.map(({ kind, name }) => `${kind} ${name}`).join(", ")}`);
      },
    }),
  );
  display.clear();
  await interruptible(summarize(lab, config, kubernetes, { revision, objects, times, display }), context.signal);
};

/** Sets the lab up, starts the simulators if they do not run, and returns an engine. */
export const running = async (
  lab: Lab,
  { display, signal }: Context,
  times: Times = new Map(),
): Promise<{ config: LabConfig; engine: Engine }> => {
  const { lab: config, programs, isChanged } = await timed(times, "set-up", () => interruptible(lab.setUp(), signal));
  const engine = await timed(times, "lab", async () => {
    if (isChanged && (await lab.supervisor.stop())) display.line("Restarting the lab: its configuration has changed");
    display.live("Starting the lab");
    await interruptible(lab.supervisor.start(programs["hearth-lab"] ?? ""), signal);
    return lab.engine(config, programs.pulumi ?? "");
  });
  display.clear();
  for (const did of await engine.recover()) display.line(`Recovering: ${did}`);
  return { config, engine };
};

/** Previews a stack that exists. Updates it if it does not exist or would change. */
const bringUp = async (engine: Engine, { display, signal, hurry }: Context): Promise<RunReport | undefined> => {
  const onProgress = (report: RunReport): void => {
    display.live(describeProgress(report));
  };
  if ((await engine.size()) > 0) {
    const preview = await engine.run("preview", { signal, hurry, onProgress });
    display.clear();
    display.line(`Preview: ${describeChanges(preview)}`);
    if (preview.isUnchanged) return undefined;
  }
  const report = await engine.run("up", { signal, hurry, onProgress });
  display.clear();
  return report;
};

/** Writes the stack's outputs that people and the Git server need, and returns all of them. */
export const keepOutputs = async ({ folder }: Lab, engine: Engine): ReturnType<Engine["outputs"]> => {
  const outputs = await engine.outputs();
  const { kubeconfig, talosconfig, deployKey } = outputs;
  await writeFile(folder.kubeconfig, kubeconfig ?? "", { mode: 0o600 });
  await writeFile(folder.talosconfig, talosconfig ?? "", { mode: 0o600 });
  if (deployKey !== undefined) await registerDeployKey(folder, deployKey);
  return outputs;
};

/** Registers the deploy key with the Git server, as a person would in their Git host's settings. */
const registerDeployKey = async ({ authorizedKeys }: LabFolder, key: string): Promise<void> => {
  const present = await readFile(authorizedKeys, "utf8").catch(() => "");
  if (present.split("\n").includes(key.trim())) return;
  await mkdir(dirname(authorizedKeys), { recursive: true });
  await writeFile(authorizedKeys, `${present}${key.trim()}\n`, { mode: 0o600 });
};

interface Outcome {
  revision: string;
  objects: FluxObject[];
  times: Times;
  display: Display;
}

/** Checks the whole platform from outside, prints a summary, and fails if a part is missing. */
const summarize = async (
  lab: Lab,
  config: LabConfig,
  kubernetes: Kubernetes,
  { revision, objects, times, display }: Outcome,
): Promise<void> => {
  const nodes = await eventually(
    () => nodeStates(kubernetes),
    (states) => unreadyNodes(lab.machines, states).length === 0,
  );
  const secrets = encryptedSecrets(lab.folder.root, lab.treePath);
  const decrypted = await decryptedSecrets(kubernetes, secrets);
  const cloudflare = await lab.simulators(config).cloudflare();
  const memory = await lab.supervisor.memory();
  const ready = nodes.filter(({ isReady }) => isReady);
  const rows: [string, string][] = [
    [
      "nodes",
      `${ready.length.toString()} of ${nodes.length.toString()} Ready: ${ready.map(({ name }) => name).join(", ")}`,
    ],
    ["Flux", describeFlux(objects, revision)],
    ["secrets", `${decrypted.length.toString()} of ${secrets.length.toString()} decrypted: ${decrypted.join(", ")}`],
    ...(cloudflare === undefined
      ? []
      : ([["tunnel", [...cloudflare.tunnelNames, ...cloudflare.recordNames].join(", ")]] as [string, string][])),
    ["memory", memory === undefined ? "" : describeMemory(memory)],
    ["time", [...times].map(([name, seconds]) => `${name} ${duration(seconds)}`).join(", ")],
  ];
  display.line(`\nThe lab of ${lab.folder.stack} is up after ${duration(display.seconds)}`);
  for (const [name, value] of rows) display.line(`  ${name.padEnd(8)} ${value}`);
  for (const line of describeLeftOut(await lab.leftOut())) display.line(`  ${line}`);
  if (await lab.hasUncommitted()) display.line("  Flux applies commits: gitops/ has changes that are not committed");
  display.line(`\n  eval "$(npm run --silent lab -- env ${lab.folder.stack})"   to use kubectl, talosctl and pulumi`);
  requireNothingMissing([
    ...unreadyNodes(lab.machines, nodes),
    ...secrets.filter((name) => !decrypted.includes(name)).map((name) => `Secret ${name} is not decrypted`),
    ...(cloudflare?.tunnels === 0 ? ["there is no tunnel"] : []),
    ...(cloudflare?.records === 0 ? ["there is no DNS record"] : []),
  ]);
};

const describeFlux = (objects: readonly FluxObject[], revision: string): string => {
  const suspended = objects.filter(({ isSuspended }) => isSuspended).length;
  const ready = (objects.length - suspended).toString();
  return `${ready} objects Ready${suspended === 0 ? "" : `, ${suspended.toString()} suspended,`} at ${revision}`;
};

/** What the lab cannot run or check, one line each. */
export const describeLeftOut = ({ stopped, unchecked }: Pick<ReadTree, "stopped" | "unchecked">): string[] => [
  ...stopped.map(({ namespace, name, reason }) => `not run: HelmRelease ${namespace}/${name}: ${reason}`),
  ...unchecked.map((object) => `not checked: the health of ${object}, whose controller does not run here`),
];

const describeMemory = ({ bytes, peakBytes, processes }: MemoryUse): string =>
  `${gibibytes(bytes)} in ${processes.toString()} processes, ${gibibytes(peakBytes)} at most`;

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

const eventually = async <T>(ask: () => Promise<T>, isDone: (answer: T) => boolean, timeout = 60_000): Promise<T> => {
  const deadline = Date.now() + timeout;
  let answer = await ask();
  while (!isDone(answer) && Date.now() < deadline) {
    await sleep(500);
    answer = await ask();
  }
  return answer;
};
