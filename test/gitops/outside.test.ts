import { access, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { execa } from "execa";

import { askProgram } from "../../lib/tree/program.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";

const root = join(import.meta.dirname, "../..");

interface Answer {
  objects: unknown[];
  problems: { message: string }[];
}

describe("the renderer of a tree that names what is outside of it", function () {
  // The first time, the renderer is built.
  this.timeout(900_000);
  let folder: string;
  let marker: string;
  let server: Server;
  let asked: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hearth-outside-"));
    marker = join(folder, "marker");
    asked = [];
    server = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.end("apiVersion: v1\nkind: ConfigMap\nmetadata: { name: fetched }\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  const requestWith = async (kustomization: string) => {
    await mkdir(join(folder, "gitops"), { recursive: true });
    const kind = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
    await writeFile(join(folder, "gitops/kustomization.yaml"), kind + kustomization);
    const created = {
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata: { name: "flux-system", namespace: "flux-system" },
      spec: { path: "gitops" },
    };
    return { checkout: folder, root: created, patches: [], created: [] };
  };

  /** Both ways to the renderer: as Hearth calls it, and with all that the caller has. */
  const ways: [how: string, render: (request: unknown) => Promise<Answer>][] = [
    ["as Hearth calls it", (request) => askProgram<Answer>("render", request)],
    [
      "with the caller's environment",
      async (request) => {
        const { "hearth-tree": program = "" } = await new Toolchain({ root }).ensure(["hearth-tree"]);
        const { stdout } = await execa(program, ["render"], { input: JSON.stringify(request) });
        return JSON.parse(stdout) as Answer;
      },
    ],
  ];

  /** Git runs the program that this option of `git fetch` names, in a repository that is reached by a file's path. */
  const payload = (): string => {
    const ref = encodeURIComponent(`--upload-pack=touch ${marker};`);
    return `file://${folder}/repository.git?ref=${ref}`;
  };

  for (const [how, render] of ways) {
    it(`runs no command, ${how}`, async () => {
      await execa("git", ["init", "--quiet", "--bare", join(folder, "repository.git")]);
      const { objects, problems } = await render(await requestWith(`resources: ["${payload()}"]\n`));
      expect(
        await access(marker).then(
          () => "ran",
          () => "did not run",
        ),
      ).to.equal("did not run");
      expect(objects).to.deep.equal([]);
      expect(problems).to.have.length(1);
    });

    it(`asks no server, ${how}`, async () => {
      const { port } = server.address() as AddressInfo;
      const url = `http://127.0.0.1:${port.toString()}/object.yaml`;
      const { objects, problems } = await render(await requestWith(`resources: ["${url}"]\n`));
      expect(asked).to.deep.equal([]);
      expect(objects).to.deep.equal([]);
      expect(problems).to.have.length(1);
    });
  }
});
