import { expect } from "chai";
import { parse } from "yaml";

import { treeObject } from "../../../../infra/tree-objects.ts";
import { imageDigests, type Digests } from "../../../../lib/tree/digest-list.ts";
import { judgeImages, type ImageFacts } from "../../../../lib/tree/image-verdict.ts";
import { imagesOf, type NamedImage } from "../../../../lib/tree/images.ts";
import { askRegistries, type Said } from "../../../../lib/tree/registries.ts";
import type { TreeObject } from "../../../../lib/tree/rules/rule.ts";
import { Web } from "../../../../toolchain/vendors/web.ts";
import { VendorServer } from "../../../support/vendors.ts";

const [one, two] = [`sha256:${"1".repeat(64)}`, `sha256:${"2".repeat(64)}`];

describe("the images that an object names", () => {
  const named = (manifest: string, release?: object): NamedImage[] =>
    imagesOf({
      ...treeObject(parse(manifest)),
      ...{ file: "web.yaml", line: 3, kustomization: "", encrypted: false, checked: { namespaced: true, errors: [] } },
      ...(release && { release }),
    } as unknown as TreeObject);
  const imagesIn = (manifest: string): string[] => named(manifest).map(({ image }) => image);

  it("are those of its containers, with the registry that a short name means", () => {
    expect(
      imagesIn(`{ kind: Deployment, spec: { template: { spec: {
        initContainers: [{ image: "busybox:1.37.0" }], containers: [{ image: "org/web:1" }, { image: "127.0.0.1:5000/web:1@${one}" }] } } } }`),
    ).to.deep.equal(["docker.io/library/busybox:1.37.0", "docker.io/org/web:1", `127.0.0.1:5000/web:1@${one}`]);
  });

  it("are what it tells an operator, by a flag, a variable, a ConfigMap or a field", () => {
    expect(
      imagesIn(`{ kind: Deployment, spec: { template: { spec: { containers: [{
        args: ["--reloader=quay.io/org/reloader:v0.93.1"], env: [{ name: IMAGE, value: "ghcr.io/org/operand:1.30.0" }] }] } } } }`),
    ).to.deep.equal(["quay.io/org/reloader:v0.93.1", "ghcr.io/org/operand:1.30.0"]);
    expect(imagesIn('{ kind: ConfigMap, data: { plugin: "quay.io/org/csi:v3" } }')).to.deep.equal([
      "quay.io/org/csi:v3",
    ]);
    expect(imagesIn('{ kind: Prometheus, spec: { image: "quay.io/org/prometheus:v3" } }')).to.have.length(1);
  });

  it("are no addresses, texts and examples, and nothing without a tag", () => {
    for (const value of [
      "http://web.example.com/path:80",
      "web.example.com:8080",
      "see ghcr.io/org/web:1 for it",
      "ghcr.io/org/web",
    ])
      expect(imagesIn(`{ kind: ConfigMap, data: { value: "${value}" } }`), value).to.deep.equal([]);
    expect(imagesIn("{ kind: Pod, spec: { containers: [{ image: web }] } }")).to.deep.equal([]);
    expect(imagesIn('{ kind: CustomResourceDefinition, spec: { example: "ghcr.io/org/web:1" } }')).to.deep.equal([]);
    const release =
      '{ apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, spec: { values: { image: "ghcr.io/org/web:1" } } }';
    expect(imagesIn(release)).to.deep.equal([]);
  });

  it("are the chart's where a release brings the object", () => {
    const release = {
      ...treeObject(parse("{ kind: HelmRelease, metadata: { name: web, namespace: web } }")),
      file: "release.yaml",
    };
    expect(named('{ kind: Pod, spec: { containers: [{ image: "ghcr.io/org/web:1" }] } }', release)).to.deep.equal([
      {
        ...{ image: "ghcr.io/org/web:1", isOfChart: true, by: "HelmRelease web/web" },
        place: { file: "release.yaml" },
      },
    ]);
  });
});

describe("the judgement of images", () => {
  const image = "ghcr.io/org/web:1";
  const of = (isOfChart: boolean, name = image): NamedImage => ({
    ...{ image: name, isOfChart, by: "HelmRelease web/web" },
    place: { file: "release.yaml", line: 2 },
  });
  const judge = (facts: Partial<Omit<ImageFacts, "said">> & { says?: Said } = {}) => {
    const { says, ...others } = facts;
    const recorded: Digests = {};
    return judgeImages({
      ...{ named: [of(true)], recorded, pending: {}, isWritten: () => false, isWhole: true, update: false },
      said: new Map(says && [[image, says]]),
      ...others,
    });
  };
  const messages = (facts?: Parameters<typeof judge>[0]): string[] =>
    judge(facts).findings.map(({ message }) => message);
  const none = "HelmRelease web/web: the image ghcr.io/org/web:1 of its chart has no digest";

  it("finds an image of a chart that no list has, and names the command that records it", () => {
    const { findings } = judge({ says: { digest: one } });
    expect(findings).to.deep.equal([
      {
        ...{ file: "release.yaml", line: 2, message: none },
        advice:
          "record what its registry says by npx hearth check --charts --update, or add it to gitops/pending-digests.yaml with a reason",
      },
    ]);
  });

  it("finds none in one that is recorded, waits for a digest, or has it in its name", () => {
    expect(messages({ recorded: { [image]: one }, says: { digest: one } })).to.deep.equal([]);
    expect(messages({ pending: { [image]: "nobody could be asked" } })).to.deep.equal([]);
    expect(messages({ named: [of(true, `${image}@${one}`)] })).to.deep.equal([]);
    // Manifests of the tree itself have digests by another rule.
    expect(messages({ named: [of(false)] })).to.deep.equal([]);
  });

  it("records what the registry says on request, and where it says nothing the image is a finding still", () => {
    const recorded = judge({ update: true, says: { digest: one } });
    expect(recorded.findings).to.deep.equal([]);
    expect(recorded.added).to.deep.equal({ [image]: one });
    expect(messages({ update: true, says: { reason: "ENOTFOUND" } })).to.deep.equal([none]);
    expect(messages({ update: true, says: { reason: "HTTP 429" } })).to.deep.equal([none]);
  });

  it("finds an image that was pushed again, and never records the other digest", () => {
    for (const update of [false, true]) {
      const { findings, added } = judge({ update, recorded: { [image]: one }, says: { digest: two } });
      expect(findings.map(({ file, message }) => `${file} ${message}`)).to.deep.equal([
        `${imageDigests.file} ${image} was pushed again: its registry has ${two}, and ${one} is recorded`,
      ]);
      expect(added).to.deep.equal({});
    }
  });

  it("finds an image that its registry does not have, recorded or not, of the tree too", () => {
    const says: Said = { isMissing: true, reason: "HTTP 404" };
    const missing = "HelmRelease web/web: the image ghcr.io/org/web:1 does not exist (HTTP 404)";
    expect(messages({ recorded: { [image]: one }, says })).to.deep.equal([missing]);
    expect(messages({ named: [of(false)], says })).to.deep.equal([missing]);
    expect(messages({ says })).to.deep.equal([missing]);
  });

  it("knows what nothing names any more, if all of the tree is known", () => {
    const facts = {
      recorded: { "ghcr.io/org/old:1": one },
      pending: { [image]: "waits", "ghcr.io/org/older:1": "waits", "ghcr.io/org/off:1": "waits" },
    };
    const isWritten = (name: string): boolean => name === "ghcr.io/org/off:1";
    expect(judge({ ...facts, isWritten }).unused).to.deep.equal(["ghcr.io/org/old:1", "ghcr.io/org/older:1"]);
    expect(judge({ ...facts, isWritten, isWhole: false }).unused).to.deep.equal([]);
  });
});

describe("registries that are asked for images", () => {
  let vendor: VendorServer;
  let web: Web;
  beforeEach(async () => {
    vendor = await VendorServer.start();
    web = new Web({}, { headers: 200, body: 200, connect: 200 });
  });
  afterEach(async () => {
    await web.close();
    await vendor[Symbol.asyncDispose]();
  });

  const ask = async (...names: string[]): Promise<Said[]> => {
    const images = names.map((name) => `${vendor.host}/${name}`);
    const said = await askRegistries(web, images, 1);
    return images.map((image) => said.get(image) ?? {});
  };

  it("say their digests, and what they do not have", async () => {
    const digest = vendor.serveTag("org/web:1", "an index");
    expect(await ask("org/web:1", `org/web@${digest}`, "org/none:1")).to.deep.equal([
      { digest },
      { reason: "HTTP 404", isMissing: true },
      { reason: "HTTP 404", isMissing: true },
    ]);
  });

  it("are asked once more where the answer is cut off, or they have too much to do", async () => {
    const digest = vendor.serveTag("org/web:1", "an index", { statuses: [429] });
    expect(await ask("org/web:1")).to.deep.equal([{ digest }]);
  });

  it("are asked no more once they do not answer, and the others are", async () => {
    vendor.serveTag("org/web:1", "an index", { dropped: true });
    await using other = await VendorServer.start();
    const digest = other.serveTag("org/web:2", "another");
    const images = [`${vendor.host}/org/web:1`, `${vendor.host}/org/web:2`, `${other.host}/org/web:2`];
    expect([...(await askRegistries(web, images, 1)).values()]).to.have.deep.members([
      { reason: "UND_ERR_SOCKET" },
      { reason: "UND_ERR_SOCKET" },
      { digest },
    ]);
    expect(vendor.requests.map(({ path }) => path)).to.deep.equal(Array(2).fill("/v2/org/web/manifests/1"));
  });

  it("may refuse one image, and say the next", async () => {
    vendor.serveTag("org/secret:1", "private", { token: "another" });
    const digest = vendor.serveTag("org/web:1", "an index");
    expect(await ask("org/secret:1", "org/web:1")).to.deep.equal([{ reason: "HTTP 401" }, { digest }]);
  });
});
