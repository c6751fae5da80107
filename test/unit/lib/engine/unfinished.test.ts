import { expect } from "chai";

import type { State } from "../../../../lib/engine/state.ts";
import { requireFinished, withUnfinished } from "../../../../lib/engine/unfinished.ts";

describe("a rotation that machines are in the middle of", () => {
  const state: State = {
    version: 3,
    deployment: {
      resources: [{ urn: "urn:stack", type: "pulumi:pulumi:Stack", outputs: { tunnel: "id" } }],
    },
  };

  it("keeps an update from undoing it, until it is finished", () => {
    requireFinished(state, "dev");
    const begun = withUnfinished(state, "talos-authority");
    expect(() => {
      requireFinished(begun, "dev");
    }).to.throw("npx hearth rotate dev talos-authority finishes it");
    expect(withUnfinished(begun, undefined)).to.deep.equal(state);
  });
});
