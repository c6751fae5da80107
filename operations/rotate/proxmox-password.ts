import { messageOf, Problem } from "../../toolchain/problem.ts";
import { signIn, type ProxmoxAnswer } from "../../lib/cluster/proxmox.ts";
import { exchangeSecret, providersWith } from "./given-secret.ts";
import { proxmoxServerOf } from "./proxmox-token.ts";
import { commitStep, type Rotation } from "./rotation.ts";

const root = "root@pam";

/**
 * The password of root@pam, by which the stack manages machines with options that only root may set.
 *
 * A user has one password, so the person changes it at the host first. Updates of the stack are refused from then on until this ends.
 */
export const proxmoxPassword: Rotation = {
  name: "proxmox-password",
  what: "the password of root@pam at Proxmox",
  interrupts:
    "Updates of the stack, from when you change the password at Proxmox until this ends. Change it there first; it is read from standard input.",
  rotate: async (surroundings) => {
    const { target } = surroundings;
    const server = await proxmoxServerOf(target);
    const { resumed, escrow } = await exchangeSecret(surroundings, {
      rotation: "proxmox-password",
      key: "proxmoxPassword",
      name: "password of root@pam",
      carriers: (state) => providersWith(state, "pulumi:providers:proxmoxve", "password"),
      attempt: async (password) => {
        requireSignedIn(
          await signIn(server, root, password).catch((error: unknown) => {
            throw new Problem(`Proxmox does not answer: ${messageOf(error)}`);
          }),
        );
        return [];
      },
    });
    const { hostname } = new URL(server.endpoint);
    return {
      resumed,
      said: [`${target.stack} has another password of root@pam, which ${hostname} takes`],
      left: [
        ...commitStep(target, escrow, `Pulumi.${target.stack}.yaml`),
        "change root's password on every other host too: each host has its own, and any of them opens the whole cluster",
        "look for API tokens and keys that root was given meanwhile: pveum user token list root@pam, ~root/.ssh/authorized_keys",
        "who signed in with the old password stays signed in for up to two hours",
      ],
      escrow,
    };
  },
};

/**
 * Requires that Proxmox's answer lets root in without a second factor, which the provider could not give.
 *
 * Source: pve-access-control 9.1.1, PVE/API2/AccessControl.pm, create_ticket. The time in `left` is $ticket_lifetime there.
 *
 * @throws Problem if it does not
 */
export const requireSignedIn = ({ status, reason, data }: ProxmoxAnswer): void => {
  if (status === 401)
    throw new Problem("Proxmox refuses the new password of root@pam: change it at the host first, with passwd as root");
  if (status !== 200) throw new Problem(`Proxmox answers ${status.toString()} ${reason}`.trim());
  const { ticket, username, NeedTFA: needsFactor } = (data ?? {}) as Record<string, unknown>;
  if (Number(needsFactor ?? 0) === 1)
    throw new Problem(
      "Proxmox asks root@pam for a second factor, which an update cannot give: remove it from root@pam",
    );
  if (typeof ticket !== "string" || username !== root)
    throw new Problem("Proxmox gives root@pam no ticket: look whether hearth:proxmox.endpoint is Proxmox's API");
};
