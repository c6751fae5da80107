import { expect } from "chai";
import fc from "fast-check";

import { rolloutSchema } from "../../../../infra/config/rollout.ts";
import { describeTime, nextWindow } from "../../../../lib/rollout/windows.ts";

const nights = rolloutSchema.parse({
  windows: [{ days: ["sat", "sun"], from: "02:00", to: "05:00" }],
  timeZone: "Europe/Berlin",
});

/** When the next window opens, in UTC; "now" if one is open. */
const next = (config: typeof nights, now: string): string => nextWindow(config, new Date(now))?.toISOString() ?? "now";

describe("the windows of a rollout", () => {
  it("are always open where there are none", () => {
    expect(next(rolloutSchema.parse({}), "2026-12-02T12:00:00Z")).to.equal("now");
  });

  it("open and close by the clock of their time zone", () => {
    expect(next(nights, "2026-12-05T00:59:59Z")).to.equal("2026-12-05T01:00:00.000Z");
    expect(next(nights, "2026-12-05T01:00:00Z")).to.equal("now");
    expect(next(nights, "2026-12-05T03:59:59Z")).to.equal("now");
    expect(next(nights, "2026-12-05T04:00:00Z")).to.equal("2026-12-06T01:00:00.000Z");
    expect(next(nights, "2026-12-06T04:00:00Z")).to.equal("2026-12-12T01:00:00.000Z");
    expect(next(nights, "2026-07-04T00:00:00Z")).to.equal("now");
  });

  it("reach into the next day where they end before they begin", () => {
    const late = rolloutSchema.parse({ windows: [{ days: ["fri"], from: "22:00", to: "03:00" }] });
    expect(next(late, "2026-12-04T21:59:00Z")).to.equal("2026-12-04T22:00:00.000Z");
    expect(next(late, "2026-12-05T02:59:00Z")).to.equal("now");
    expect(next(late, "2026-12-05T03:00:00Z")).to.equal("2026-12-11T22:00:00.000Z");
    expect(next(late, "2026-12-04T02:00:00Z")).to.equal("2026-12-04T22:00:00.000Z");
  });

  it("are the whole day where they end when they begin", () => {
    const sunday = rolloutSchema.parse({ windows: [{ days: ["sun"], from: "00:00", to: "00:00" }] });
    expect(next(sunday, "2026-12-06T23:59:00Z")).to.equal("now");
    expect(next(sunday, "2026-12-07T00:00:00Z")).to.equal("2026-12-13T00:00:00.000Z");
  });

  it("skip an hour that clocks skip, and are not missed for that", () => {
    const skipped = rolloutSchema.parse({
      windows: [{ days: ["sun"], from: "02:15", to: "02:45" }],
      timeZone: "Europe/Berlin",
    });
    expect(next(skipped, "2026-03-29T00:00:00Z")).to.equal("2026-04-05T00:15:00.000Z");
  });

  it("are open at the time that they say they open", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 14 * 24 * 60 }), (minutes) => {
        const opens = nextWindow(nights, new Date(Date.UTC(2026, 9, 20) + minutes * 60_000));
        if (opens !== undefined) expect(nextWindow(nights, opens)).to.equal(undefined);
      }),
      { numRuns: 30 },
    );
  });

  it("are told by the clock of their time zone", () => {
    expect(describeTime(new Date("2026-12-05T01:00:00Z"), "Europe/Berlin")).to.match(
      /^Saturday.? 5 December at 02:00 \(Europe\/Berlin\)$/,
    );
  });

  it("have a time zone that there is, and times of day", () => {
    const wrong = rolloutSchema.safeParse({ windows: [{ from: "25:00", to: "05:00" }], timeZone: "Europe/Berlim" });
    expect(wrong.error?.issues.map(({ path, message }) => `${path.join(".")} ${message}`)).to.have.length(2);
  });
});
