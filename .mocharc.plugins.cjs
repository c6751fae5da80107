/** Tests that show what the plugins do. With HEARTH_PLUGINS=vendor these are the vendors', and not those that the lab builds. */
module.exports = {
  ...require("./.mocharc.lab.cjs"),
  spec: ["end-to-end", "preview", "plugins", "escrow", "rehearse", "machine-changes", "destroy"].map(
    (name) => `test/lab/${name}.test.ts`,
  ),
};
