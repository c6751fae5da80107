import { Listr, PRESET_TIMER } from "listr2";

/** A named step of the work. */
export interface Step {
  title: string;
  /** Runs the step. `say` reports its progress. */
  run: (say: (text: string) => void) => Promise<void>;
}

const elapsed = (since: number): string => `${Math.round((Date.now() - since) / 1000).toString()} s`;

/** Runs steps concurrently and shows their progress on standard error. */
export const showProgress = async (heading: string, steps: readonly Step[]): Promise<void> => {
  if (process.stderr.isTTY) await showLive(heading, steps);
  else await showLines(heading, steps);
};

const showLive = async (heading: string, steps: readonly Step[]): Promise<void> => {
  const started = Date.now();
  let done = 0;
  const title = (): string => `${heading}: ${done.toString()} of ${steps.length.toString()}, ${elapsed(started)}`;
  const list = new Listr(
    [
      {
        title: title(),
        task: (_, parent) => {
          const tick = setInterval(() => (parent.title = title()), 1000);
          return parent.newListr(
            steps.map((step) => ({
              title: step.title,
              task: async (_context, task) => {
                await step.run((text) => (task.output = text));
                done += 1;
                parent.title = title();
                if (done === steps.length) clearInterval(tick);
              },
            })),
            { concurrent: true, exitOnError: true },
          );
        },
      },
    ],
    {
      // Standard output is reserved for a command's result.
      rendererOptions: { timer: PRESET_TIMER, collapseErrors: false, showErrorMessage: false },
    },
  );
  await list.run();
};

const showLines = async (heading: string, steps: readonly Step[]): Promise<void> => {
  const started = Date.now();
  let done = 0;
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  say(`${heading}: ${steps.map(({ title }) => title).join(", ")}`);
  await Promise.all(
    steps.map(async (step) => {
      await step.run(() => undefined);
      done += 1;
      say(`  ${step.title} after ${elapsed(started)} (${done.toString()} of ${steps.length.toString()})`);
    }),
  );
};
