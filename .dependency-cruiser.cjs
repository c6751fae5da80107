/** The layers of the project: what each may import beside itself. docs/decisions/0045 says why. */
const layers = {
  sdks: [],
  toolchain: [],
  components: ["sdks"],
  infra: ["components", "sdks", "toolchain"],
  lib: ["infra", "components", "sdks", "toolchain"],
  policy: ["lib", "infra", "components", "sdks", "toolchain"],
  lab: ["policy", "lib", "infra", "components", "sdks", "toolchain"],
  operations: ["policy", "lib", "infra", "components", "sdks", "toolchain"],
};

/** Commands that drive a lab. For all others it is a stack like any other. */
const labCommands = "^operations/(rehearse|try)/";

const rule = (name, from, allowed) => ({
  name,
  severity: "error",
  comment: `may import ${allowed.join(", ")}`,
  from,
  // A file in the root and a folder that is no layer are forbidden too, or they would be a way around.
  to: { path: "\\.[cm]?[jt]s$", pathNot: `^(${allowed.join("|")}|node_modules)/` },
});

module.exports = {
  forbidden: [
    ...Object.entries(layers).map(([layer, below]) =>
      rule(`${layer}-imports-down-only`, { path: `^${layer}/`, pathNot: labCommands }, [layer, ...below]),
    ),
    rule("lab-commands-import-down-only", { path: labCommands }, ["operations", "lab", ...layers.operations]),
    {
      name: "no-circle",
      severity: "error",
      comment: "a module may not lead back to itself, by types neither",
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    // Imports of types are gone after compilation, and bind as much.
    tsPreCompilationDeps: true,
    // Without CommonJS: a function of one's own may be called require.
    moduleSystems: ["es6", "tsd"],
    doNotFollow: { path: "node_modules" },
  },
};
