import { expect } from "chai";

import { optionsOf, withOptions } from "../../../../lib/tree/options.ts";

const list = `components:
  - ../shared
  # With security/internal-authority:
  # - ../shared/internal-authority
resources:
  - environment.yaml
  # compute
  - ../../infrastructure/compute/reloader/flux.yaml
  # - ../../infrastructure/compute/spegel/flux.yaml
  # - ../../infrastructure/compute/nvidia/flux.yaml
`;

describe("what an environment's list has behind a #", () => {
  const [authority = "", spegel = "", nvidia = ""] = optionsOf(list);

  it("are its files, and no other comments", () => {
    expect([authority, spegel, nvidia]).to.deep.equal([
      "../shared/internal-authority",
      "../../infrastructure/compute/spegel/flux.yaml",
      "../../infrastructure/compute/nvidia/flux.yaml",
    ]);
    expect(optionsOf(list)).to.have.length(3);
  });

  it("is turned on where it stands, and nothing else, with all lines where they were", () => {
    expect(withOptions(list, [authority, nvidia])).to.equal(
      list.replace(`# - ${authority}`, `- ${authority}`).replace(`# - ${nvidia}`, `- ${nvidia}`),
    );
    expect(withOptions(list, [])).to.equal(list);
  });
});
