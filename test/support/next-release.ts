import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A file of a system whose release the next release of Hearth changes. */
export const chart = "gitops/infrastructure/compute/reloader/app/ocirepository.yaml";

/** Writes a file of a checkout, with its folder. */
export const writeInside = (folder: string, path: string, content: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
};

/** Changes a file of a checkout. @throws Error if that changes nothing */
export const editInside = (folder: string, path: string, from: string | RegExp, to: string): void => {
  const before = readFileSync(join(folder, path), "utf8");
  const after = before.replace(from, to);
  if (after === before) throw new Error(`${path} has no ${String(from)}`);
  writeInside(folder, path, after);
};

/** Writes an app that is made of the one that greets. */
export const copyOfWelcome = (folder: string, name: string): void => {
  for (const file of ["flux", "app/deployment", "app/kustomization", "app/namespace", "app/service", "app/route"]) {
    const content = readFileSync(join(folder, `gitops/apps/welcome/${file}.yaml`), "utf8")
      .replaceAll(/(?<!secrets\/)welcome(?!, key)/g, name)
      .replace("    - ../../../../${cluster_folder}/secrets/welcome\n", "")
      .replace(/^(namespace| {2}name): apps$/m, `$1: ${name}`)
      .replace(/ +env:\n.*\n.*\n.*\n/, "");
    writeInside(folder, `gitops/apps/${name}/${file}.yaml`, content);
  }
};

/** Makes of a checkout what the next release of Hearth could be: other versions and values, a system with a variable, code. */
export const makeRelease = (folder: string): void => {
  const edit = (path: string, from: string | RegExp, to: string): void => {
    editInside(folder, path, from, to);
  };
  for (const stack of ["dev", "prod"]) {
    edit(`Pulumi.${stack}.yaml`, /talos: v1\.13\.\d+/, "talos: v1.13.99");
    edit(`gitops/clusters/${stack}/environment.yaml`, "\ndata:\n", "\ndata:\n  greeting: hello\n");
    edit(
      `gitops/clusters/${stack}/kustomization.yaml`,
      "  - ../../apps/welcome/flux.yaml\n",
      "  - ../../apps/welcome/flux.yaml\n  - ../../apps/greeter/flux.yaml\n",
    );
  }
  copyOfWelcome(folder, "greeter");
  edit("gitops/apps/greeter/app/deployment.yaml", "--port=9898", "--port=9898, '--ui-message=${greeting}'");
  edit(chart, /tag: [\d.]+/, "tag: 2.99.0");
  edit("gitops/clusters/shared/kustomizations.yaml", "\n", "\n# A remark of the release.\n");
  edit("infra/program.ts", "\n", "\n// A change of the release.\n");
};
