import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import { isEncrypted } from "../../../infra/tree-walk.ts";
import { PlainFile } from "../../../operations/secret/plain-file.ts";
import { questionsOf, renewed, type OpenFile } from "../../../operations/secret/renewal.ts";
import { sources } from "../../../operations/secret/sources.ts";

const clients = "secrets/keycloak-realm/keycloak-clients.sops.yaml";
const proxy = "secrets/oauth2-proxy/oauth2-proxy.sops.yaml";
const issuers = "secrets/cert-manager-issuers/cloudflare.sops.yaml";
const records = "secrets/external-dns/cloudflare.sops.yaml";

/** An example's file, read by the cluster. */
const example = (file: string, values: Record<string, string>, changes: Partial<OpenFile> = {}): OpenFile => ({
  file,
  values,
  isOwn: false,
  isRead: true,
  ...changes,
});

const fits = (name: string, key: string): boolean =>
  name.endsWith("*") ? key.startsWith(name.slice(0, -1)) : name === key;

/** Draws drawn-1, drawn-2, … */
const counter = () => {
  let count = 0;
  return () => `drawn-${(++count).toString()}`;
};

const valuesOf = (files: OpenFile[], answers = new Map<string, string>()) =>
  Object.fromEntries(renewed(files, answers, counter()).map(({ file, values }) => [file, values]));

describe("the renewal of the tree's secrets", () => {
  it("knows where every value of the tree comes from, and none that is not there", () => {
    const root = join(import.meta.dirname, "../../..");
    const found = (folder: string) =>
      globSync(`${folder}/**`, { cwd: join(root, "gitops/clusters") })
        .filter(isEncrypted)
        .flatMap((path) => {
          // SOPS encrypts values only, so the keys are there to read.
          const keys = Object.keys(new PlainFile(readFileSync(join(root, "gitops/clusters", path), "utf8")).values());
          const file = path.slice(folder.length + 1);
          const names = Object.keys(sources[file] ?? {});
          return keys.map((key) => `${file} ${names.find((name) => fits(name, key)) ?? key}`);
        });
    const known = Object.entries(sources).flatMap(([file, keys]) => Object.keys(keys).map((key) => `${file} ${key}`));
    expect(known).to.have.members([...new Set([...found("dev"), ...found("prod")])]);
  });

  it("draws a value that two files share once", () => {
    const values = valuesOf([
      example(clients, { OAUTH2_PROXY_SECRET: "old", GRAFANA_SECRET: "old" }),
      example(proxy, {
        OAUTH2_PROXY_CLIENT_ID: "oauth2-proxy",
        OAUTH2_PROXY_CLIENT_SECRET: "old",
        OAUTH2_PROXY_COOKIE_SECRET: "old",
      }),
    ]);
    expect(values).to.deep.equal({
      [clients]: { OAUTH2_PROXY_SECRET: "drawn-1", GRAFANA_SECRET: "drawn-2" },
      [proxy]: {
        OAUTH2_PROXY_CLIENT_ID: "oauth2-proxy",
        OAUTH2_PROXY_CLIENT_SECRET: "drawn-1",
        OAUTH2_PROXY_COOKIE_SECRET: "drawn-3",
      },
    });
  });

  it("takes what two files share from the one that was written before an interruption, whichever that is", () => {
    const own = example(proxy, { OAUTH2_PROXY_CLIENT_SECRET: "written before" }, { isOwn: true });
    const values = valuesOf([example(clients, { OAUTH2_PROXY_SECRET: "old" }), own]);
    expect(values).to.deep.equal({ [clients]: { OAUTH2_PROXY_SECRET: "written before" } });
  });

  it("asks once for what two files share, also where the first is of a system that is off", () => {
    const files = [example(issuers, { token: "old" }, { isRead: false }), example(records, { token: "old" })];
    const questions = questionsOf(files);
    expect(questions.map(({ what }) => what)).to.deep.equal([
      "Token of Cloudflare for certificates and records, with DNS: Edit and Zone: Read",
    ]);
    const answers = new Map([[questions[0]?.id ?? "", "given"]]);
    expect(valuesOf(files, answers)).to.deep.equal({ [issuers]: { token: "given" }, [records]: { token: "given" } });
  });

  it("does not ask for what only systems that are off need, nor for what is the stack's own", () => {
    const truenas = example("secrets/truenas/truenas.sops.yaml", { apiKey: "old" }, { isRead: false });
    const own = example(issuers, { token: "its own" }, { isOwn: true });
    expect(questionsOf([truenas, own, example(records, { token: "old" })])).to.deep.equal([]);
    expect(valuesOf([own, example(records, { token: "old" })])).to.deep.equal({ [records]: { token: "its own" } });
  });

  it("asks for a secret that the tree does not come with, by file and key", () => {
    const files = [example("secrets/blog/blog.sops.yaml", { password: "old" })];
    expect(questionsOf(files).map(({ what }) => what)).to.deep.equal(["password of secrets/blog/blog.sops.yaml"]);
  });

  it("names what keeps the example's value", () => {
    const files = [example(records, { token: "old" }), example(clients, { GRAFANA_SECRET: "old" })];
    const [first, second] = renewed(files, new Map([[questionsOf(files)[0]?.id ?? "", ""]]), counter());
    expect([first?.values, first?.examples]).to.deep.equal([{ token: "old" }, ["token"]]);
    expect(second?.examples).to.deep.equal([]);
  });
});
