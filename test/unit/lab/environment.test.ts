import { expect } from "chai";
import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deriveLab } from "../../../lab/derive.ts";
import { pulumiScript, shellExports } from "../../../lab/environment.ts";
import { engineEnvironment, stateUrl } from "../../../lib/engine/lab-environment.ts";
import { labFolder } from "../../../lib/engine/lab-folder.ts";

const lab = { internet: { proxy: "127.20.255.2:3128", registry: "", registries: [] } } as unknown as ReturnType<
  typeof deriveLab
>;

describe("engineEnvironment", () => {
  const environment = engineEnvironment(labFolder("/checkout", "dev"), lab, "/usr/bin");

  it("puts the lab's programs first in PATH", () => {
    expect(environment.PATH?.split(":")).to.deep.equal([
      "/checkout/.lab/dev/bin",
      "/checkout/node_modules/.bin",
      "/usr/bin",
    ]);
  });

  it("sends everything but loopback through the simulated internet", () => {
    for (const name of ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"]) {
      expect(environment[name]).to.equal("http://127.20.255.2:3128");
    }
    expect(environment.NO_PROXY).to.equal("127.0.0.0/8,localhost");
  });

  it("lets Pulumi neither look for updates nor fetch plugins", () => {
    expect(environment).to.include({
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    });
  });
});

describe("a lab in a shell that has the passphrase of a real stack", () => {
  let root: string;
  beforeEach(async () => (root = await mkdtemp(join(tmpdir(), "hearth-"))));
  afterEach(() => rm(root, { recursive: true }));

  const real = { PULUMI_CONFIG_PASSPHRASE: "the real stack's" };
  const said = (program: string, ...args: string[]): string =>
    execFileSync(program, args, { encoding: "utf8", env: { ...process.env, ...real } });
  const asks = 'printf %s "${PULUMI_CONFIG_PASSPHRASE-none} $PULUMI_CONFIG_PASSPHRASE_FILE"';

  it("gives the engine its own, which Pulumi reads only where the other is not set", () => {
    const env = { ...process.env, ...real, ...engineEnvironment(labFolder(root, "dev"), lab) };
    const told = execFileSync("sh", ["-c", asks], { encoding: "utf8", env });
    expect(told).to.equal(`none ${labFolder(root, "dev").passphrase}`);
  });

  it("gives the shell its own", () => {
    const folder = labFolder(root, "dev");
    expect(said("sh", "-c", `${shellExports(folder)}\n${asks}`)).to.equal(`none ${folder.passphrase}`);
  });

  it("gives pulumi its own, run by hand", async () => {
    const folder = labFolder(root, "dev");
    const [fake, script] = [join(root, "fake-pulumi"), join(root, "pulumi")];
    await writeFile(fake, `#!/bin/sh\n${asks}\n`);
    await writeFile(script, pulumiScript(folder, lab, fake));
    for (const file of [fake, script]) await chmod(file, 0o755);
    expect(said(script, "up")).to.equal(`none ${folder.passphrase}`);
  });
});

describe("in a checkout whose path has a space and a quote", () => {
  let root: string;
  beforeEach(async () => (root = await mkdtemp(join(tmpdir(), "hearth it's "))));
  afterEach(() => rm(root, { recursive: true }));

  it("shellExports gives what a shell evaluates to the right values", () => {
    const folder = labFolder(root, "dev");
    const script = `${shellExports(folder)}\nprintf '%s\\n' "$KUBECONFIG" "$TALOSCONFIG" "$PULUMI_BACKEND_URL" "$PATH"`;
    const [kubeconfig, talosconfig, backend, path] = execFileSync("sh", ["-c", script], { encoding: "utf8" }).split(
      "\n",
    );
    expect([kubeconfig, talosconfig, backend]).to.deep.equal([folder.kubeconfig, folder.talosconfig, stateUrl(folder)]);
    expect(path?.startsWith(`${folder.bin}:`)).to.equal(true);
  });

  it("pulumiScript gives commands that read the configuration the lab's, and others nothing", async () => {
    const folder = labFolder(root, "dev");
    const fake = join(root, "fake-pulumi");
    const script = join(root, "pulumi");
    await writeFile(fake, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
    await writeFile(script, pulumiScript(folder, lab, fake));
    for (const file of [fake, script]) await chmod(file, 0o755);
    const run = (...args: string[]): string[] => execFileSync(script, args, { encoding: "utf8" }).trim().split("\n");
    expect(run("preview", "--diff")).to.deep.equal([
      ...["preview", "--config-file", folder.derived, "--stack", "dev", "--diff"],
    ]);
    expect(run("stack", "output")).to.deep.equal(["stack", "output"]);
    expect(run("up", "--config-file", "mine.yaml")).to.deep.equal(["up", "--config-file", "mine.yaml"]);
  });
});
