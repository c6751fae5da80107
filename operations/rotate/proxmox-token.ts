import type { Target } from "../../lib/engine/target.ts";
import { messageOf, Problem } from "../../toolchain/problem.ts";
import { askProxmox, proxmoxServer, type AskProxmox, type ProxmoxServer } from "../../lib/cluster/proxmox.ts";
import { exchangeSecret, providersWith } from "./given-secret.ts";
import { commitStep, type Rotation } from "./rotation.ts";

/**
 * The token by which the stack manages its virtual machines.
 *
 * Proxmox lets a user regenerate a token in place, with `User.Modify` or as the user itself, and then the old secret is invalid before the
 * new one is stored anywhere: a run killed between has locked itself out. So the person makes a second token, and deletes the old one
 * at the end. Source: pve-access-control 9.x, PVE/API2/User.pm, update_token_info.
 */
export const proxmoxToken: Rotation = {
  name: "proxmox-token",
  what: "the API token of Proxmox",
  interrupts:
    "Nothing. Make the new token beside the old one first, with the same privileges; it is read from standard input.",
  rotate: async (surroundings) => {
    const { target } = surroundings;
    const server = await proxmoxServerOf(target);
    const ask = (token: string) => askProxmox({ ...server, token });
    const { resumed, old, next, escrow } = await exchangeSecret(surroundings, {
      rotation: "proxmox-token",
      key: "proxmoxToken",
      name: "Proxmox token",
      // A provider that has root's password has no token.
      carriers: (state) => providersWith(state, "pulumi:providers:proxmoxve", "apiToken"),
      attempt: async (token, before) => {
        if (!form.test(token)) throw new Problem("The new Proxmox token is not of the form USER@REALM!ID=SECRET");
        await requireSameRights(ask(token), ask(before ?? token));
        return [];
      },
    });
    return {
      resumed,
      said: [`${target.stack} has another Proxmox token, which may do what the old one may`],
      left: [...commitStep(target, escrow, `Pulumi.${target.stack}.yaml`), ...removal(old, next)],
      escrow,
    };
  },
};

const form = /^[^\s!=]+@[^\s!=]+![^\s!=]+=\S+$/;

/** The part of a token that is no secret: USER@REALM!ID. */
const idOf = (token: string): string => token.split("=")[0] ?? "";

const removal = (old: string | undefined, next: string): string[] => {
  if (old === undefined) return ["delete the old token at a Proxmox host: pveum user token remove USER@REALM ID"];
  // A token that was regenerated in place has the same ID, and its old secret is invalid already.
  if (idOf(old) === idOf(next)) return [];
  const [user = "", name = ""] = idOf(old).split("!");
  return [`delete the old token at a Proxmox host: pveum user token remove '${user}' '${name}'`];
};

/**
 * The API of a stack's Proxmox.
 *
 * @throws Problem if the stack has no machines there, or if it has another certificate than the stack file says
 */
export const proxmoxServerOf = async (target: Target): Promise<ProxmoxServer> => {
  const { proxmox } = await target.config();
  if (!proxmox) throw new Problem(`${target.stack} has no machines on Proxmox: its stack file has no hearth:proxmox`);
  return proxmoxServer(proxmox, target.environment);
};

/** Privileges by path. Source: pve-access-control, PVE/API2/AccessControl.pm, permissions. */
type Rights = Record<string, Record<string, unknown>>;

/**
 * Requires that a token has every privilege of the one in use. If Proxmox no longer takes the old one, only that it takes the new one,
 * and gives it any.
 */
export const requireSameRights = async (next: AskProxmox, old: AskProxmox): Promise<void> => {
  const has = await rightsOf(next);
  if (has === undefined)
    throw new Problem("Proxmox refuses the new token: look at its secret and whether it has expired");
  const needs = (await rightsOf(old)) ?? {};
  const missing = missingRights(has, needs);
  if (missing.length === 0 && Object.keys(has).length > 0) return;
  throw new Problem(
    ["The new Proxmox token may do less than the old one. It lacks:", ...missing.map((each) => `  ${each}`)].join("\n"),
  );
};

const rightsOf = async (ask: AskProxmox): Promise<Rights | undefined> => {
  const { status, reason, data } = await ask("/access/permissions").catch((error: unknown) => {
    throw new Problem(`Proxmox does not answer: ${messageOf(error)}`);
  });
  if (status === 200) return (data ?? {}) as Rights;
  if (status === 401) return undefined;
  throw new Problem(`Proxmox answers ${status.toString()} ${reason}`);
};

/** The privileges, with their path, that one set of rights lacks of another. */
export const missingRights = (has: Rights, needs: Rights): string[] =>
  Object.entries(needs).flatMap(([path, privileges]) =>
    Object.keys(privileges)
      .filter((privilege) => !reaches(has, path, privilege))
      .map((privilege) => `${privilege} on ${path}`),
  );

/** Whether a privilege holds on a path, there or by propagation from a path above. The value 1 says that it propagates. */
const reaches = (has: Rights, path: string, privilege: string): boolean => {
  if (has[path] !== undefined) return privilege in has[path];
  const parent = path.slice(0, path.lastIndexOf("/")) || "/";
  if (parent === path) return false;
  return has[parent] === undefined ? reaches(has, parent, privilege) : Number(has[parent][privilege]) === 1;
};
