import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { stringify } from "yaml";

import { connectorToken } from "../../../../components/cloudflare/connector-token.ts";
import { resourceTypes } from "../../../../components/resource-types.ts";
import { deriveSeed } from "../../../../components/secrets/derive.ts";
import { signersOf, signingKeys } from "../../../../components/secrets/signing.ts";
import { publicKeyFingerprint, sshKeyPair } from "../../../../components/secrets/ssh.ts";
import { inOneLine } from "../../../../infra/facts.ts";
import type { State, StateResource } from "../../../../lib/engine/state.ts";
import { tunnelSecrets } from "../../../../operations/escrow/collect.ts";
import { deployKeySecret, oldFingerprint } from "../../../../operations/rotate/deploy-key.ts";
import { diskRecoverySecret } from "../../../../operations/rotate/disk-recovery-key.ts";
import { signingKey, signingSecret } from "../../../../operations/rotate/signing-key.ts";
import { drawPassword, redraw, withPasswords, type DrawnSecret } from "../../../../operations/rotate/drawn.ts";
import type { Surroundings } from "../../../../operations/rotate/rotation.ts";
import { tunnelSecretOfAll } from "../../../../operations/rotate/tunnel-secret.ts";
import { webhookSecret } from "../../../../operations/rotate/webhook-token.ts";
import { messageOf } from "../../../support/failure.ts";
import { secretInState as secret } from "../../../support/wire.ts";

const urn = (type: string, name: string) => `urn:pulumi:dev::hearth::${type}::${name}`;
const password = "random:index/randomPassword:RandomPassword";
const base64 = (text: string) => Buffer.from(text).toString("base64");

const resource = (type: string, name: string, rest: Partial<StateResource>): StateResource => ({
  urn: urn(type, name),
  type,
  ...rest,
});

const drawn = (name: string, value: string, parent = "component"): StateResource =>
  resource(password, name, { protect: true, parent, outputs: { result: secret(value), bcryptHash: secret("hash") } });

const inCluster = (name: string, data: Record<string, string>): StateResource =>
  resource("kubernetes:core/v1:Secret", name, {
    inputs: { data: secret(Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)]))) },
  });

/** A machine's configuration, of which a passphrase opens two volumes, or none. */
const machine = (name: string, passphrase?: string): StateResource => {
  const keys = [{ slot: 1, ...(passphrase === undefined ? { tpm: {} } : { static: { passphrase } }) }];
  const documents = ["EPHEMERAL", "data"].map((volume) => stringify({ name: volume, encryption: { keys } }));
  const text = ["version: v1alpha1\n", ...documents].join("---\n");
  return resource(resourceTypes.machineConfiguration, name, { inputs: { machineConfigurationInput: secret(text) } });
};

const keyOf = (value: string) =>
  sshKeyPair(Buffer.from(deriveSeed(value, "deploy-key-seed"), "base64"), "hearth-den-dev");

/** A state whose carriers have what the password "old" gives. */
const state: State = {
  version: 3,
  deployment: {
    resources: [
      drawn("deploy-key-seed", "old"),
      drawn("webhook-token", "old"),
      drawn("signing-seed", "old"),
      drawn("disk-recovery-seed", "old"),
      drawn("tunnel-secret", "old", "tunnel"),
      drawn("tunnel-secret-guests", "old", "guests"),
      inCluster("flux-system", { identity: keyOf("old").privateKey, known_hosts: "git ssh-ed25519 AAAA" }),
      inCluster("webhook-token", { token: deriveSeed("old", "webhook-token") }),
      inCluster("sops-age", { "age.agekey": "AGE-SECRET-KEY-1" }),
      inCluster("cluster-secrets", {
        tunnel_token: connectorToken("account", "one", deriveSeed("old", "tunnel-secret")),
        tunnel_token_guests: connectorToken("account", "two", deriveSeed("old", "tunnel-secret-guests")),
        snapshot_signing_key: inOneLine(signingKeys(deriveSeed("old", "signing-seed")).cluster.privateKey),
      }),
      ...["den-dev-cp01", "den-dev-wk01"].map((name) => machine(name, deriveSeed("old", "disk-recovery-seed"))),
      machine("den-dev-wk02"),
      resource("talos:cluster/kubeconfig:Kubeconfig", "kubeconfig", {}),
      resource("github:index/repositoryDeployKey:RepositoryDeployKey", "deploy-key", {
        inputs: { key: keyOf("old").publicKey.replace("hearth-den-dev", "another comment") },
      }),
      resource("github:index/repositoryWebhook:RepositoryWebhook", "push", {
        inputs: { configuration: secret({ url: "https://…", secret: deriveSeed("old", "webhook-token") }) },
      }),
      ...[
        ["den-dev", "one", "tunnel-secret", "tunnel"],
        ["guests", "two", "tunnel-secret-guests", "guests"],
      ].map(([name = "", id = "", seed = "", parent = ""]) =>
        resource("cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared", name, {
          id,
          parent,
          inputs: { accountId: "account", tunnelSecret: secret(deriveSeed("old", seed)) },
        }),
      ),
    ],
  },
};

const redrawn = (of: DrawnSecret): State =>
  withPasswords(state, new Map(of.passwords(state).map((each) => [each.urn, "new"])));

const cases: [string, DrawnSecret, string[]][] = [
  ["deploy key", deployKeySecret, ["flux-system", "deploy-key"]],
  ["signing key", signingSecret, ["cluster-secrets"]],
  ["webhook token", webhookSecret, ["webhook-token", "push"]],
  ["recovery key of disks", diskRecoverySecret, ["den-dev-cp01", "den-dev-wk01"]],
  ["tunnel secrets", tunnelSecretOfAll, ["den-dev", "guests", "cluster-secrets"]],
];

for (const [name, of, carriers] of cases) {
  describe(`the ${name} of a state`, () => {
    it("is carried by the resources that hand it to where it is used, and by no other", () => {
      const found = of.carriers(state);
      expect(found.map((each) => each.urn.split("::").at(-1))).to.deep.equal(carriers);
      expect(found.map(({ isCurrent }) => isCurrent)).to.deep.equal(carriers.map(() => true));
    });

    it("shows a rotation that was begun, until the last of them has the new one", () => {
      const begun = redrawn(of);
      expect(of.carriers(begun).map(({ isCurrent }) => isCurrent)).to.deep.equal(carriers.map(() => false));
    });

    it("is another one in the state, encrypted and protected as before, and leaves all else", () => {
      const urns = of.passwords(state).map((each) => each.urn);
      expect(urns).not.to.deep.equal([]);
      for (const [index, each] of (redrawn(of).deployment.resources ?? []).entries()) {
        const before = state.deployment.resources?.[index];
        if (!urns.includes(each.urn)) expect(each).to.equal(before);
        else expect(each).to.deep.equal({ ...before, outputs: { result: secret("new"), bcryptHash: secret("") } });
      }
    });
  });
}

describe("drawing a secret anew", () => {
  it("is refused, and changes nothing, where the state has none or nothing uses it", async () => {
    const refused = (resources: StateResource[]) => {
      const engine = {
        state: () => Promise.resolve({ version: 3, deployment: { resources } }),
        changeState: () => Promise.reject(new Error("It changes the state")),
      };
      const surroundings = { target: { engine, stack: "dev" }, credentials: { live: () => undefined } };
      return messageOf(redraw(surroundings as unknown as Surroundings, deployKeySecret));
    };
    expect(await refused([])).to.contain("has no deploy key: bring the stack up first");
    expect(await refused([drawn("deploy-key-seed", "old")])).to.contain("Nothing of dev uses its deploy key");
  });

  it("changes nothing where the escrow of the new one could not be written", async () => {
    const refused = (resources: StateResource[], recipients: string[]) => {
      const engine = {
        state: () => Promise.resolve({ version: 3, deployment: { resources } }),
        changeState: () => Promise.reject(new Error("It changes the state")),
      };
      const config = () => Promise.resolve({ escrow: { recipients, copies: [] } });
      const surroundings = {
        target: { root: "/nonexistent", stackFile: "Pulumi.dev.yaml", engine, config, stack: "dev" },
        credentials: { live: () => undefined },
      };
      return messageOf(redraw(surroundings as unknown as Surroundings, deployKeySecret));
    };
    const all = state.deployment.resources ?? [];
    expect(await refused(all, [])).to.contain("list age recipients");
    const unsigned = all.filter((each) => !each.urn.endsWith("::signing-seed"));
    expect(await refused(unsigned, ["age1own"])).to.contain("has no signing key yet");
    expect(await refused(all, ["age1own"])).to.contain("It changes the state");
  });
});

describe("the signers in the stack file", () => {
  const { stack, cluster } = signersOf(signingKeys(deriveSeed("old", "signing-seed")));
  const text = `config:\n  hearth:escrow:\n    recipients: [age1own]\n    signers:\n      stack: ${stack}\n      cluster: ${cluster}\n`;
  const all = state.deployment.resources ?? [];
  let root = "";

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "hearth-"));
    await writeFile(join(root, "Pulumi.dev.yaml"), text);
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  /** Rotates the signing key up to where the state would change, and gives the failure and the stack file. */
  const rotated = async (resources: StateResource[], recipients = ["age1own"]): Promise<[string, string]> => {
    const stackFile = join(root, "Pulumi.dev.yaml");
    const target = {
      root,
      stack: "dev",
      stackFile,
      config: () => Promise.resolve({ escrow: { recipients, copies: [] } }),
      engine: {
        state: () => Promise.resolve({ version: 3, deployment: { resources } }),
        changeState: () => Promise.reject(new Error("It changes the state")),
      },
    };
    const surroundings = { target, credentials: { live: () => undefined } } as unknown as Surroundings;
    return [await messageOf(signingKey.rotate(surroundings)), await readFile(stackFile, "utf8")];
  };

  it("stay where there is no signing key to rotate, nothing uses it, or nobody could open the escrow", async () => {
    const refused = async (resources: StateResource[], message: string, recipients?: string[]) => {
      const [failure, after] = await rotated(resources, recipients);
      expect(failure).to.contain(message);
      expect(after).to.equal(text);
    };
    await refused([], "has no signing key");
    await refused([drawn("signing-seed", "old")], "Nothing of dev uses its signing key");
    await refused(all, "list age recipients", []);
  });

  it("go before another signing key is drawn", async () => {
    const [failure, after] = await rotated(all);
    expect(failure).to.contain("It changes the state");
    expect(after).not.to.contain("signers");
  });
});

describe("the old deploy key", () => {
  const old = publicKeyFingerprint(keyOf("old").privateKey);

  it("is the one that the cluster has, before and after the new one is drawn", () => {
    expect(oldFingerprint(state, false)).to.equal(old);
    expect(oldFingerprint(redrawn(deployKeySecret), true)).to.equal(old);
  });

  it("is never the new one, where the cluster has that already", () => {
    expect(oldFingerprint(state, true)).to.equal(undefined);
  });
});

describe("the escrow's tunnels", () => {
  it("have the secret that was drawn, before Cloudflare has it", () => {
    const { guests } = tunnelSecrets(redrawn(tunnelSecretOfAll));
    expect(guests?.secret).to.equal(deriveSeed("new", "tunnel-secret-guests"));
    expect(guests?.token).to.equal(connectorToken("account", "two", deriveSeed("new", "tunnel-secret-guests")));
  });
});

describe("drawPassword", () => {
  it("draws what the random plugin draws for the program, each time another", () => {
    const all = Array.from({ length: 200 }, drawPassword);
    for (const each of all) expect(each).to.match(/^[A-Za-z0-9]{64}$/);
    expect(new Set(all).size).to.equal(200);
    expect(new Set(all.join("")).size).to.equal(62);
  });
});
