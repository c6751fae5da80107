import { expect } from "chai";

import { resourceTypes } from "../../../../components/resource-types.ts";
import type { State, StateResource } from "../../../../lib/engine/state.ts";
import { bgpPasswordsIn } from "../../../../operations/rotate/bgp-password.ts";
import { begunExchange } from "../../../../operations/rotate/begun-exchange.ts";
import { gitTokensIn } from "../../../../operations/rotate/git-token.ts";
import {
  exchangeSecret,
  providersWith,
  type EscrowWriter,
  type Exchanged,
  type GivenSecret,
} from "../../../../operations/rotate/given-secret.ts";
import { credentialsIn, normalized } from "../../../../operations/rotate/registry-credentials.ts";
import type { Surroundings } from "../../../../operations/rotate/rotation.ts";
import { Problem } from "../../../../toolchain/problem.ts";
import { messageOf } from "../../../support/failure.ts";
import { secretInState as sealed } from "../../../support/wire.ts";

const urn = (type: string, name: string) => `urn:pulumi:dev::hearth::${type}::${name}`;

const resource = (type: string, name: string, rest: Partial<StateResource>): StateResource => ({
  urn: urn(type, name),
  type,
  ...rest,
});

const inCluster = (name: string, data: Record<string, string>) =>
  resource("kubernetes:core/v1:Secret", name, { inputs: { stringData: sealed(data) } });

const provider = (type: string, inputs: Record<string, unknown>) => resource(type, "provider", { inputs });

const machine = (name: string, credentials: string) =>
  resource(resourceTypes.machineConfiguration, name, {
    inputs: {
      machineConfigurationInput: sealed(
        ["machine: {}", ...documents(credentials)].join("\n---\n").concat("\n---\nkind: WatchdogTimerConfig\n"),
      ),
    },
  });

const documents = (credentials: string): string[] =>
  Object.entries(JSON.parse(credentials) as Record<string, object>).map(([name, given]) =>
    JSON.stringify({ apiVersion: "v1alpha1", kind: "RegistryAuthConfig", name, ...given }),
  );

/** A secret, and the resources that carry a value of it as an update leaves them. */
interface Case {
  secret: Pick<GivenSecret, "rotation" | "key" | "name" | "carriers" | "normalize">;
  old: string;
  next: string;
  carrying: (value: string) => StateResource[];
  /** Resources that look like it, and carry something else. */
  others?: StateResource[];
}

const registry = (password: string) => JSON.stringify({ "ghcr.io": { username: "me", password } });

const cases: Case[] = [
  {
    secret: { rotation: "git-token", key: "gitToken", name: "Git token", carriers: gitTokensIn },
    ...{ old: "git-old", next: "git-next" },
    carrying: (value) => [inCluster("flux-system", { username: "git", password: value })],
    others: [inCluster("bgp-password", { password: "router" }), inCluster("webhook-token", { token: "git-old" })],
  },
  {
    secret: {
      ...{ rotation: "github-token", key: "githubToken", name: "GitHub token" },
      carriers: (state) => providersWith(state, "pulumi:providers:github", "token"),
    },
    ...{ old: "hub-old", next: "hub-next" },
    carrying: (value) => [provider("pulumi:providers:github", { owner: "you", token: sealed(value) })],
  },
  {
    secret: {
      ...{ rotation: "proxmox-password", key: "proxmoxPassword", name: "password of root@pam" },
      carriers: (state) => providersWith(state, "pulumi:providers:proxmoxve", "password"),
    },
    ...{ old: "pve-old", next: "pve-next" },
    carrying: (value) => [
      provider("pulumi:providers:proxmoxve", {
        username: "root@pam",
        password: sealed(value),
        endpoint: "https://pve",
      }),
    ],
  },
  {
    secret: { rotation: "bgp-password", key: "bgpPassword", name: "BGP password", carriers: bgpPasswordsIn },
    ...{ old: "bgp-old", next: "bgp-next" },
    carrying: (value) => [inCluster("bgp-password", { password: value })],
    others: [inCluster("flux-system", { username: "git", password: "git-token" })],
  },
  {
    secret: {
      ...{ rotation: "registry-credentials", key: "registryCredentials", name: "registry credentials" },
      carriers: (state, configured) => credentialsIn(state, configured, "dev"),
      normalize: (text) => normalized(text, "dev"),
    },
    ...{ old: registry("image-old"), next: registry("image-next") },
    carrying: (value) => [machine("cp01", value), machine("wk01", value)],
  },
];

const caseOf = (rotation: string): Case => {
  const found = cases.find(({ secret }) => secret.rotation === rotation);
  if (found === undefined) throw new Error(rotation);
  return found;
};

class Killed extends Error {}

/** A checkout with its stack file and its escrow, at a state that other checkouts have too. */
class Checkout {
  readonly done: string[] = [];
  readonly asked: string[] = [];
  readonly tried: string[] = [];
  escrowed: string | undefined;
  /** The change before which, or after which, it is killed. */
  killed: { when: "before" | "after"; what: string } | undefined;
  refuses = false;

  constructor(
    private readonly of: Case,
    private readonly shared: { state: State },
    public stackFile: Record<string, string>,
  ) {}

  get state(): State {
    return this.shared.state;
  }

  /** The values that resources carry. */
  get carried(): string[] {
    return this.of.secret.carriers(this.state, this.stackFile).map(({ value }) => value);
  }

  /** Rotates, with a value that the person gives if asked. */
  rotate(given: string): Promise<Exchanged> {
    const { secret } = this.of;
    const escrow: EscrowWriter = {
      require: () => Promise.resolve(),
      write: async () => {
        await this.change("write the escrow", () => (this.escrowed = this.stackFile[secret.key]));
        return { path: "escrow/dev.sops.yaml" } as Exchanged["escrow"];
      },
    };
    const attempt = (value: string): Promise<string[]> => {
      this.tried.push(value);
      return this.refuses ? Promise.reject(new Problem("It is refused")) : Promise.resolve([]);
    };
    return exchangeSecret(this.surroundings(given), { ...secret, attempt }, escrow);
  }

  private async change(what: string, work: () => unknown): Promise<void> {
    const { killed } = this;
    if (killed?.what === what && killed.when === "before") throw new Killed(what);
    this.done.push(what);
    await work();
    if (killed?.what === what && killed.when === "after") throw new Killed(what);
  }

  private surroundings(given: string): Surroundings {
    const { shared, of } = this;
    const engine = {
      state: () => Promise.resolve(shared.state),
      configure: () =>
        Promise.resolve(
          JSON.stringify(
            Object.fromEntries(
              Object.entries(this.stackFile).map(([key, value]) => [`hearth:${key}`, { value, secret: true }]),
            ),
          ),
        ),
      changeState: (change: (state: State) => State) =>
        this.change(
          begunExchange(change(shared.state)) === undefined ? "forget that it began" : "record that it begins",
          () => (shared.state = change(shared.state)),
        ),
      reconfigure: (args: string[], value: string) =>
        this.change("store", () => {
          expect(args.join(" ")).to.equal(`config set --secret hearth:${of.secret.key}`);
          this.stackFile = { ...this.stackFile, [of.secret.key]: value };
        }),
      run: (operation: string[]) =>
        this.change("update", () => {
          const targets = operation.filter((each) => each.startsWith("urn:"));
          const given = of.carrying(this.stackFile[of.secret.key] ?? "");
          const { resources } = shared.state.deployment;
          shared.state = stateOf(
            (resources ?? []).map((each) => {
              if (!targets.includes(each.urn)) return each;
              // As the engine, which takes the outputs that the program gives.
              if (each.type === resourceTypes.stack) return { ...each, outputs: {} };
              return given.find((other) => other.urn === each.urn) ?? each;
            }),
          );
        }),
    };
    return {
      target: { engine, stack: "dev", isLab: false, root: "/nonexistent" },
      credentials: { live: () => undefined },
      signal: new AbortController().signal,
      readValue: (name: string) => {
        this.asked.push(name);
        return Promise.resolve(given);
      },
    } as unknown as Surroundings;
  }
}

const stateOf = (resources: StateResource[]): State => ({ version: 3, deployment: { resources } });

const deployed = ({ carrying, others = [] }: Case, value: string): State =>
  stateOf([
    resource(resourceTypes.stack, "hearth-dev", { outputs: { tunnel: "id" } }),
    resource(resourceTypes.kubeconfig, "kubeconfig", {}),
    ...carrying(value),
    ...others,
  ]);

const changes = ["record that it begins", "store", "write the escrow", "update"];

for (const each of cases) {
  const { secret, old, next } = each;
  const { normalize = String } = secret;
  const checkoutOf = (shared = { state: deployed(each, old) }) => new Checkout(each, shared, { [secret.key]: old });

  /** All that carries it has the new value, and nothing is left to finish. */
  const requireDone = (checkout: Checkout): void => {
    expect(checkout.carried).not.to.deep.equal([]);
    expect([...new Set(checkout.carried)]).to.deep.equal([normalize(next)]);
    expect(checkout.stackFile[secret.key]).to.equal(next);
    expect(checkout.escrowed).to.equal(next);
    expect(begunExchange(checkout.state)).to.equal(undefined);
  };

  describe(`the exchange ${secret.rotation}`, () => {
    it("tries the new one, stores it, writes the escrow, and then gives it to what carries it, and to nothing else", async () => {
      const checkout = checkoutOf();
      const { resumed, old: before } = await checkout.rotate(next);
      expect(resumed).to.equal(false);
      expect(before).to.equal(normalize(old));
      expect(checkout.tried).to.deep.equal([next]);
      expect(checkout.done).to.deep.equal(changes);
      requireDone(checkout);
      const { resources } = checkout.state.deployment;
      for (const other of each.others ?? []) expect(resources).to.deep.include(other);
    });

    it("changes nothing if the new one is refused", async () => {
      const checkout = checkoutOf();
      checkout.refuses = true;
      const message = await messageOf(checkout.rotate(next));
      expect(message).to.equal("It is refused");
      expect(checkout.done).to.deep.equal([]);
    });

    it("changes and tries nothing if the value is the one in use, and does not show it", async () => {
      const checkout = checkoutOf();
      const message = await messageOf(checkout.rotate(old));
      expect(message).to.contain(`That is the ${secret.name} that dev has already`).and.not.to.contain(old);
      expect([...checkout.done, ...checkout.tried]).to.deep.equal([]);
    });

    it("has nothing to exchange where the stack file has none", async () => {
      const checkout = checkoutOf();
      checkout.stackFile = {};
      expect(await messageOf(checkout.rotate(next))).to.contain(`dev has no ${secret.name} to exchange`);
      expect(checkout.asked).to.deep.equal([]);
    });

    for (const what of changes) {
      for (const when of ["before", "after"] as const) {
        it(`is finished by the next run if it was killed ${when} this: ${what}`, async () => {
          const checkout = checkoutOf();
          checkout.killed = { when, what };
          expect(await messageOf(checkout.rotate(next))).to.equal(what);
          checkout.killed = undefined;
          const isStored = checkout.stackFile[secret.key] === next;
          const isOver = what === "update" && when === "after";
          if (isOver) {
            // Nothing shows that it did not end by itself.
            expect(await messageOf(checkout.rotate(next))).to.contain("has already");
          } else {
            const { resumed } = await checkout.rotate(next);
            expect(resumed).to.equal(isStored);
            expect(checkout.asked).to.have.lengthOf(isStored ? 1 : 2);
            expect(checkout.tried.at(-1)).to.equal(next);
          }
          requireDone(checkout);
        });
      }
    }

    it("is refused in a checkout that is behind, which would bring the old one back", async () => {
      const shared = { state: deployed(each, old) };
      await checkoutOf(shared).rotate(next);
      const behind = checkoutOf(shared);
      const message = await messageOf(behind.rotate("another"));
      expect(message).to.contain("take the one that was deployed last: git pull").and.contain("npx hearth deploy dev");
      for (const value of [old, next]) expect(message).not.to.contain(value);
      expect([...behind.done, ...behind.asked]).to.deep.equal([]);
    });

    it("begins anew in another checkout than the one that was killed, which then is behind", async () => {
      const shared = { state: deployed(each, old) };
      const [first, second] = [checkoutOf(shared), checkoutOf(shared)];
      first.killed = { when: "after", what: "store" };
      await messageOf(first.rotate(next.replace("next", "lost")));
      await second.rotate(next);
      requireDone(second);
      first.killed = undefined;
      expect(await messageOf(first.rotate(next))).to.contain("git pull");
      requireDone(second);
    });

    it("waits for a rotation of another secret that was begun", async () => {
      const shared = { state: deployed(each, old) };
      shared.state.deployment.resources = (shared.state.deployment.resources ?? []).map((one) =>
        one.type === resourceTypes.stack ? { ...one, outputs: { begunExchange: "another" } } : one,
      );
      const checkout = checkoutOf(shared);
      expect(await messageOf(checkout.rotate(next))).to.contain("npx hearth rotate dev another finishes it");
      expect(checkout.done).to.deep.equal([]);
    });
  });
}

describe("the exchange of a secret that no resource carries", () => {
  const each = caseOf("proxmox-password");
  const unused = () => ({ state: deployed({ ...each, carrying: () => [] }, each.old) });

  it("stores it, and is finished by the next run if it was killed on the way", async () => {
    const { key } = each.secret;
    for (const what of ["store", "write the escrow"]) {
      const checkout = new Checkout(each, unused(), { [key]: each.old });
      checkout.killed = { when: "after", what };
      await messageOf(checkout.rotate(each.next));
      checkout.killed = undefined;
      expect((await checkout.rotate(each.next)).resumed).to.equal(true);
      expect([checkout.stackFile[key], checkout.escrowed]).to.deep.equal([each.next, each.next]);
      expect(begunExchange(checkout.state)).to.equal(undefined);
      expect(await messageOf(checkout.rotate(each.next))).to.contain("has already");
    }
  });
});

describe("the exchange of registry credentials", () => {
  const each = caseOf("registry-credentials");

  it("is finished where only some machines have the new ones", async () => {
    const shared = { state: deployed(each, each.old) };
    const checkout = new Checkout(each, shared, { registryCredentials: each.old });
    checkout.killed = { when: "after", what: "write the escrow" };
    await messageOf(checkout.rotate(each.next));
    checkout.killed = undefined;
    const [first] = each.carrying(each.next);
    shared.state.deployment.resources = (shared.state.deployment.resources ?? []).map((one) =>
      first?.urn === one.urn ? first : one,
    );
    expect((await checkout.rotate(each.next)).resumed).to.equal(true);
    expect([...new Set(checkout.carried)]).to.deep.equal([each.secret.normalize?.(each.next)]);
  });
});
