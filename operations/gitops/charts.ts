import { count } from "../../infra/config/error.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { ChartArchives, type PulledChart } from "../../lib/tree/chart-archives.ts";
import { chartDigests, updatedDigests } from "../../lib/tree/digest-list.ts";
import { chartsOfModules, type FindChart } from "../../lib/tree/releases.ts";
import type { Web } from "../../toolchain/vendors/web.ts";

/** What `check --charts` found out about charts. */
export interface ChartsReport {
  charts: PulledChart[];
  /** Whether a repository has another archive than the recorded one. */
  hasMoved: boolean;
  /** Whether one could not be had. */
  isPartial: boolean;
}

/** The charts of a check, as their projects publish them. */
export class PublishedCharts {
  private constructor(
    private readonly call: Pick<Call, "root" | "print" | "complain">,
    private readonly archives: ChartArchives,
    /** Finds a chart as it is published, or as a Go module has it where that cannot be had. */
    readonly find: FindChart,
  ) {}

  /** @throws Problem where the file of digests is not valid */
  static async of(call: Pick<Call, "root" | "print" | "complain">, web?: Web): Promise<PublishedCharts> {
    const archives = new ChartArchives(chartDigests.read(call.root), web);
    const inModules = await chartsOfModules();
    return new PublishedCharts(call, archives, async (asked) => (await archives.find(asked)) ?? inModules(asked));
  }

  /**
   * Says which charts could not be had, and why, and records the digests of new ones on request.
   *
   * @param isWhole whether the trees of all stacks were checked
   */
  async report({ update, isWhole }: { update: boolean; isWhole: boolean }): Promise<ChartsReport> {
    const { root, print, complain } = this.call;
    const charts = await this.archives.pulled();
    await this.archives.close();
    const had = charts.filter(({ path }) => path !== undefined);
    for (const { key, reason } of charts) if (reason !== undefined) complain(`${key} cannot be had: ${reason}`);
    print(`${had.length.toString()} of ${count(charts.length, "chart")} could be had as published`);
    const recorded = chartDigests.read(root);
    const unrecorded = had.filter(({ key }) => !(key in recorded));
    if (update) {
      await chartDigests.write(root, updatedDigests(recorded, charts, isWhole));
      print(`${chartDigests.file}: ${count(unrecorded.length, "digest")} added`);
    } else if (unrecorded.length > 0) {
      print(
        `without a digest in ${chartDigests.file}, which --update records: ${unrecorded.map(({ key }) => key).join(", ")}`,
      );
    }
    return {
      charts,
      hasMoved: charts.some(({ hasMoved }) => hasMoved === true),
      isPartial: had.length < charts.length,
    };
  }
}
