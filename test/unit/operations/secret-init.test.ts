import { cpSync, readdirSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";

import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import { execa } from "execa";
import { parse, parseAllDocuments } from "yaml";

import { verifyOpens } from "../../../components/secrets/age.ts";
import { strangersIn } from "../../../components/secrets/known-recipients.ts";
import { examineStackFile, parseStackFile } from "../../../infra/config/stack-file.ts";
import { readTree } from "../../../infra/tree.ts";
import { ruleFor } from "../../../lib/secrets/creation-rules.ts";
import { identityOfSeed } from "../../../lib/secrets/stack-identity.ts";
import { secret } from "../../../operations/secret/cli.ts";
import { SecretFiles } from "../../../operations/secret/files.ts";
import { examplesFolder } from "../../support/examples.ts";
import { messageOf } from "../../support/failure.ts";
import { callOf } from "../../support/hearth.ts";
import { tool } from "../../support/tools.ts";

const folder = "gitops/clusters/prod";
const clients = `${folder}/secrets/keycloak-realm/keycloak-clients.sops.yaml`;
const proxy = `${folder}/secrets/oauth2-proxy/oauth2-proxy.sops.yaml`;
const issuers = `${folder}/secrets/cert-manager-issuers/cloudflare.sops.yaml`;

interface Secret {
  stringData: Record<string, string>;
}

describe("npx hearth secret init", function () {
  // The first time, pulumi and sops are built.
  this.timeout(900_000);
  const checkout = join(import.meta.dirname, "../../..");
  const env = process.env;
  let root: string;
  /** A checkout with a stack that no test has changed. */
  let prepared: string;
  let own: string;
  let pulumi: string;

  before(async () => {
    pulumi = await tool("pulumi");
    own = await generateX25519Identity();
    prepared = await mkdtemp(join(tmpdir(), "hearth-"));
    const copied = ["gitops", ".sops.yaml"];
    const others = readdirSync(checkout).filter(
      (name) => ![...copied, ".git", ".lab", ".hearth"].includes(name) && !/^Pulumi\..+\.yaml$/.test(name),
    );
    for (const name of others) await symlink(join(checkout, name), join(prepared, name));
    for (const name of copied) cpSync(join(checkout, name), join(prepared, name), { recursive: true });
    const example = await readFile(join(examplesFolder, "one-vm/Pulumi.prod.yaml"), "utf8");
    const config = parse(example) as { config: Record<string, unknown> };
    config.config["hearth:escrow"] = { recipients: [await identityToRecipient(own)] };
    await writeFile(join(prepared, "Pulumi.prod.yaml"), JSON.stringify(config));
    await mkdir(join(prepared, "state"));
    useBackendOf(prepared);
    await engine("stack", "init", "prod", "--no-select");
    process.env = env;
  });

  after(() => rm(prepared, { recursive: true }));

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-"));
    cpSync(prepared, root, { recursive: true });
    useBackendOf(root);
  });

  afterEach(async () => {
    process.env = env;
    await rm(root, { recursive: true });
  });

  const useBackendOf = (folder: string): void => {
    root = folder;
    process.env = { ...env, PULUMI_BACKEND_URL: `file://${folder}/state`, PULUMI_CONFIG_PASSPHRASE: "test" };
  };

  const engine = async (...args: string[]): Promise<string> => {
    const { stdout } = await execa(pulumi, [...args, "--non-interactive"], { cwd: root });
    return stdout;
  };

  const identity = async (): Promise<string> =>
    identityOfSeed((await engine("config", "get", "hearth:ageSeed", "--stack", "prod")).trim());

  /** Runs it with a person who knows one value of those that are asked for, or without a person. */
  const init = async (known: Record<string, string> | "nobody" = {}): Promise<string> => {
    const said: string[] = [];
    const input = new PassThrough();
    const say = (text: string) => {
      said.push(text);
      const answer = Object.entries(known).find(([question]) => text.startsWith(question));
      if (text.endsWith("(empty: later):")) input.write(`${answer?.[1] ?? ""}\n`);
    };
    const call = await callOf("secret", ["init", "prod"], {
      root,
      print: say,
      complain: say,
      ask: known === "nobody" ? undefined : () => Promise.resolve(""),
    });
    expect(await secret(call, input)).to.equal(0);
    return said.join("\n");
  };

  /** Leaves three files of secrets, which is quicker. */
  const withThree = async () => {
    for (const path of (await SecretFiles.open(root)).all(folder)) {
      if (![clients, proxy, issuers].includes(path)) await rm(join(root, path));
    }
  };

  const opened = async (path: string, by: string): Promise<Secret> => {
    const { stdout } = await execa(await tool("sops"), ["decrypt", join(root, path)], { env: { SOPS_AGE_KEY: by } });
    return parseAllDocuments(stdout)[0]?.toJS() as Secret;
  };

  const texts = async (): Promise<Record<string, string>> => {
    const files = [...(await SecretFiles.open(root)).all(folder), ".sops.yaml", "Pulumi.prod.yaml"];
    return Object.fromEntries(
      await Promise.all(files.map(async (file) => [file, await readFile(join(root, file), "utf8")] as const)),
    );
  };

  it("makes every secret of the environment the stack's own, so that its first deployment stops for none", async () => {
    const said = await init();
    const key = await identity();
    const { config } = examineStackFile(parseStackFile(await readFile(join(root, "Pulumi.prod.yaml"), "utf8")));
    if (!config) throw new Error("The stack file is no longer valid");
    // What the program itself asks before it starts Flux.
    await verifyOpens(key, readTree(config, root).encryptedFiles);
    for (const [file, text] of Object.entries(await texts())) {
      if (file !== ".sops.yaml") expect(strangersIn(text), file).to.deep.equal([]);
    }
    const rules = await readFile(join(root, ".sops.yaml"), "utf8");
    expect(ruleFor(rules, clients)?.recipients).to.deep.equal([
      await identityToRecipient(key),
      await identityToRecipient(own),
    ]);
    expect(rules).to.contain((await readFile(join(checkout, ".sops.yaml"), "utf8")).split("prod")[0]);
    expect(said).to.contain(await identityToRecipient(key));
  });

  it("gives values of the stack's own, which the escrow's recipients can read and change", async () => {
    await withThree();
    const said = await init({ "Token of Cloudflare": "cloudflare-token" });
    const [realm, oauth] = [await opened(clients, own), await opened(proxy, own)];
    expect(oauth.stringData.OAUTH2_PROXY_CLIENT_SECRET).to.equal(realm.stringData.OAUTH2_PROXY_SECRET);
    expect(realm.stringData.GRAFANA_SECRET).not.to.equal(realm.stringData.OAUTH2_PROXY_SECRET);
    expect(Buffer.from(oauth.stringData.OAUTH2_PROXY_COOKIE_SECRET ?? "", "base64url").length).to.equal(32);
    expect((await opened(issuers, own)).stringData.token).to.equal("cloudflare-token");
    for (const value of ["cloudflare-token", ...Object.values({ ...realm.stringData, ...oauth.stringData })]) {
      if (value !== "oauth2-proxy") expect(said).not.to.contain(value);
    }
  });

  it("names what still has the example's value, without a person too", async () => {
    await withThree();
    expect(await init("nobody")).to.contain(`npx hearth secret edit ${issuers}   # token`);
  });

  it("changes nothing where all is the stack's own", async () => {
    await withThree();
    await init();
    const first = await texts();
    expect(await init()).to.contain(`All secrets below ${folder} are its own already`);
    expect(await texts()).to.deep.equal(first);
  });

  it("goes on after an interruption with the same key and what was written", async () => {
    await withThree();
    await init();
    const [key, first] = [await identity(), await opened(clients, own)];
    await copyFile(join(checkout, proxy), join(root, proxy));
    await copyFile(join(checkout, issuers), join(root, issuers));
    const said = await init({ "Token of Cloudflare": "given" });
    expect(said).to.contain("2 files");
    expect(await identity()).to.equal(key);
    expect((await opened(proxy, own)).stringData.OAUTH2_PROXY_CLIENT_SECRET).to.equal(
      first.stringData.OAUTH2_PROXY_SECRET,
    );
  });

  it("does nothing where an escrow has the key of a stack whose state is gone", async () => {
    await withThree();
    await mkdir(join(root, "escrow"));
    await writeFile(join(root, "escrow/prod.sops.yaml"), "version: 2\n");
    const first = await texts();
    expect(await messageOf(init())).to.contain("escrow/prod.sops.yaml holds the age key of prod");
    expect(await texts()).to.deep.equal(first);
  });

  it("does nothing where nobody here can open a file", async () => {
    await withThree();
    const stranger = await identityToRecipient(await generateX25519Identity());
    const args = ["encrypt", "--age", stranger, "--encrypted-regex", "^stringData$", "--filename-override", "a.yaml"];
    const { stdout } = await execa(await tool("sops"), args, { input: "stringData: { token: a }\n", cwd: "/" });
    await writeFile(join(root, issuers), stdout);
    const first = await texts();
    expect(await messageOf(init())).to.contain(`No identity here opens ${issuers}`);
    expect(await texts()).to.deep.equal(first);
  });
});
