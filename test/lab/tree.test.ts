import { generateIdentity, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import { execa } from "execa";

import { LabCheckout } from "../support/lab-checkout.ts";
import { eventually } from "../support/lab-process.ts";
import { tool } from "../support/tools.ts";

/** How long Flux may take to tell or to mend, in seconds. */
const timeout = 120;

// Each is looked for where docs/guides/troubleshooting.md says, and mended as it says.
describe("a tree that is broken on purpose", () => {
  let checkout: LabCheckout;

  const kubectl = async (args: string): Promise<string> => {
    const { exitCode, stdout, all } = await checkout.shell(`kubectl ${args}`);
    expect(exitCode, String(all)).to.equal(0);
    return String(stdout);
  };

  /** Has Flux look at what was committed, as the guide says. */
  const look = (): Promise<string> =>
    kubectl(
      "annotate --overwrite gitrepository flux-system --namespace flux-system reconcile.fluxcd.io/requestedAt=$(date +%s%N)",
    );

  const commit = async (file: string, change: (text: string) => string): Promise<string> => {
    await checkout.edit(file, change);
    const made = await checkout.commit(`Change ${file}`);
    await look();
    return made;
  };

  const revert = async (): Promise<string> => {
    const made = await checkout.revert();
    await look();
    return made;
  };

  interface Condition {
    type: string;
    status: string;
    message: string;
  }

  const ready = async (kind: string, name: string, namespace = "flux-system") => {
    const { status } = JSON.parse(await kubectl(`get ${kind} ${name} --namespace ${namespace} --output json`)) as {
      status: { conditions: Condition[]; lastAppliedRevision?: string };
    };
    const condition = status.conditions.find(({ type }) => type === "Ready");
    return { ...condition, revision: status.lastAppliedRevision ?? "" };
  };

  const tells = (name: string, message: RegExp): Promise<unknown> =>
    eventually(
      `the Kustomization ${name} tells ${String(message)}`,
      async () => {
        const { status, message: said = "" } = await ready("kustomization", name);
        return status === "False" && message.test(said);
      },
      timeout,
    );

  const isMended = (name: string, revision: string): Promise<unknown> =>
    eventually(
      `the Kustomization ${name} is Ready at ${revision}`,
      async () => {
        const found = await ready("kustomization", name);
        return found.status === "True" && found.revision.endsWith(revision);
      },
      timeout,
    );

  before(async () => {
    checkout = await LabCheckout.createSmall(59, "snapshot-controller", "volsync");
    const { exitCode, all } = await checkout.lab();
    expect(exitCode, all).to.equal(0);
  });

  after(() => checkout.remove());

  it("by a file that is encrypted to somebody else", async () => {
    const recipient = await identityToRecipient(await generateIdentity());
    const plain = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: welcome\nstringData:\n  message: Hello\n";
    const file = "gitops/clusters/dev/secrets/welcome/welcome.sops.yaml";
    const args = ["encrypt", "--age", recipient, "--encrypted-regex", "^(data|stringData)$"];
    const { stdout } = await execa(await tool("sops"), [...args, "--filename-override", "secret.yaml"], {
      ...{ input: plain, cwd: "/" },
    });
    await checkout.write(file, stdout);
    await checkout.commit("Encrypt to somebody else");
    await look();
    await tells("welcome", /decryption failed for .*cannot get sops data key/);
    await isMended("welcome", await revert());
  });

  it("by a value that its kind does not take", async () => {
    await commit("gitops/apps/welcome/app/service.yaml", (text) => text.replace("port: 80", "port: eighty"));
    await tells("welcome", /dry-run failed.*(is invalid|expected)/s);
    await isMended("welcome", await revert());
  });

  it("by a dependency that is not in the cluster", async () => {
    await commit("gitops/apps/secret-ways/flux.yaml", (text) =>
      text.replace("spec:", "spec:\n  dependsOn:\n    - name: linkding"),
    );
    await tells("secret-ways", /dependency 'flux-system\/linkding' not found/);
    await isMended("secret-ways", await revert());
  });

  it("by a definition that somebody deleted", async () => {
    const made = await commit(
      "gitops/apps/welcome/app/service.yaml",
      (text) => `${text}---
apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata:
  name: welcome
spec:
  sourcePVC: welcome
  trigger: { manual: never }
  restic: { repository: welcome, copyMethod: Direct }
`,
    );
    await isMended("welcome", made);
    await kubectl("delete customresourcedefinition replicationsources.volsync.backube");
    const again = (): Promise<string> =>
      kubectl(
        `annotate --overwrite kustomization welcome --namespace flux-system reconcile.fluxcd.io/requestedAt=${Date.now()}`,
      );
    await again();
    await tells(
      "welcome",
      /no matches for kind "ReplicationSource"|ReplicationSource\/apps\/welcome not found: the server could not find/,
    );
    const now = Date.now();
    await kubectl(
      `annotate --overwrite helmrelease volsync --namespace volsync reconcile.fluxcd.io/requestedAt=${now} reconcile.fluxcd.io/forceAt=${now}`,
    );
    await eventually(
      "the definition is there again",
      () => kubectl("get customresourcedefinition replicationsources.volsync.backube"),
      timeout,
    );
    await again();
    await isMended("welcome", made);
    await kubectl("get replicationsource welcome --namespace apps");
    await isMended("welcome", await revert());
  });

  it("by an upgrade that ends in the middle", async () => {
    const secret = "get secret from-helm --namespace secret-ways --output jsonpath={.metadata.labels.half}";
    await commit("gitops/apps/secret-ways/chart/templates/secret.yaml", (text) => {
      const changed = text.replace("metadata:", "metadata:\n  labels: { half: applied }");
      return `${changed.trimEnd()}
---
apiVersion: v1
kind: Service
metadata:
  name: broken
spec:
  clusterIP: nowhere
  ports: [{ port: 80 }]
`;
    });
    await eventually(
      "the release tells what Helm says",
      async () => {
        const { status, message } = await ready("helmrelease", "values-from", "secret-ways");
        return status === "False" && /Helm upgrade failed .*nowhere/.test(message ?? "");
      },
      timeout,
    );
    await eventually(
      "the Kustomization waits for it",
      async () => (await ready("kustomization", "secret-ways")).message === "Reconciliation in progress",
      timeout,
    );
    expect(await kubectl(secret)).to.equal("applied");
    await isMended("secret-ways", await revert());
    expect(await kubectl(secret)).to.equal("");
  });
});
