import { resourceTypes } from "../../components/resource-types.ts";
import { hosted } from "../../components/gitops/repository.ts";
import { ofType } from "../../lib/engine/state.ts";
import { messageOf, Problem } from "../../toolchain/problem.ts";
import { Internet } from "../doctor/internet.ts";
import { exchangeSecret, providersWith } from "./given-secret.ts";
import { commitStep, type Rotation } from "./rotation.ts";

/**
 * The token by which the stack registers its deploy key and webhook at GitHub.
 *
 * GitHub deletes a deploy key with the personal access token that created it, but not when the token is regenerated. So a token that was
 * made beside the old one needs another deploy key before the old one is deleted. Source: GitHub REST API, "Deploy keys".
 */
export const githubToken: Rotation = {
  name: "github-token",
  what: "the token by which the stack registers its deploy key and webhook at GitHub",
  interrupts:
    "Nothing, if you regenerate the token at GitHub. If you make another, keep the old one until the end. It is read from standard input.",
  rotate: async (surroundings) => {
    const { target } = surroundings;
    const { stack } = target;
    const { host, owner, name } = hosted((await target.config()).gitops.repository);
    if (host !== "github.com")
      throw new Problem(
        `The repository of ${stack} is at ${host}, not at github.com: pulumi config rm hearth:githubToken`,
      );
    const hasWebhook = ofType(await target.engine.state(), resourceTypes.webhook).length > 0;
    const internet = await Internet.of(target.environment);
    try {
      const { resumed, escrow } = await exchangeSecret(surroundings, {
        rotation: "github-token",
        key: "githubToken",
        name: "GitHub token",
        carriers: (state) => providersWith(state, "pulumi:providers:github", "token"),
        attempt: async (token) => {
          await requireAdministration(asking(internet, token), { repository: `${owner}/${name}`, hasWebhook });
          return [];
        },
      });
      return {
        resumed,
        said: [`${stack} has another GitHub token, which may administer ${owner}/${name}`],
        left: [
          ...commitStep(target, escrow, `Pulumi.${stack}.yaml`),
          `unless you regenerated the token: npx hearth rotate ${stack} deploy-key   GitHub deletes the deploy key with the token that created it`,
          "unless you regenerated the token: delete the old one at GitHub, Settings, Developer settings",
          `look for what was changed with the old one: https://github.com/${owner}/${name}/settings/keys, /settings/hooks and the security log`,
        ],
        escrow,
      };
    } finally {
      await internet.close();
    }
  },
};

/** Sends a request with a token, and gives the status. */
export type AskGitHub = (method: "GET" | "POST", path: string, body?: object) => Promise<number>;

const asking =
  (internet: Internet, token: string): AskGitHub =>
  async (method, path, body) => {
    const headers = {
      authorization: `Bearer ${token}`,
      accept: "application/vnd.github+json",
      "x-github-api-version": "2022-11-28",
      "user-agent": "hearth",
    };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    return (await internet.ask(`https://api.github.com${path}`, { method, headers, ...sent })).status;
  };

interface Attempt {
  right: string;
  method: "GET" | "POST";
  path: string;
  /** Is never valid, so that nothing is created. */
  body?: object;
}

/**
 * Requires that a token may write deploy keys, and webhooks if the stack has one, and changes nothing: GitHub looks at the permission
 * before it looks at what is to be created. Source: GitHub REST API, version 2022-11-28, "Deploy keys", "Repository webhooks".
 *
 * @throws Problem that names what it lacks
 */
export const requireAdministration = async (
  ask: AskGitHub,
  { repository, hasWebhook }: { repository: string; hasWebhook: boolean },
): Promise<void> => {
  const [keys, hooks] = [`/repos/${repository}/keys`, `/repos/${repository}/hooks`];
  const tries: Attempt[] = [
    { right: "Administration: Read", method: "GET", path: keys },
    { right: "Administration: Write", method: "POST", path: keys, body: { title: "", key: "" } },
    ...(hasWebhook
      ? ([
          { right: "Webhooks: Read", method: "GET", path: hooks },
          { right: "Webhooks: Write", method: "POST", path: hooks, body: { events: ["none"], config: { url: "" } } },
        ] as const)
      : []),
  ];
  const lacking: string[] = [];
  for (const { right, method, path, body } of tries) {
    const status = await ask(method, path, body).catch((error: unknown) => {
      throw new Problem(`GitHub does not answer: ${messageOf(error)}`);
    });
    if (status === 401)
      throw new Problem("GitHub refuses the new token: look whether it is whole, and whether it has expired");
    if (status === 429 || status >= 500)
      throw new Problem(`GitHub answers ${status.toString()}: run this again when it is well`);
    if (method === "GET" ? status !== 200 : status !== 422) lacking.push(right);
  }
  if (lacking.length > 0)
    throw new Problem(
      `The new GitHub token lacks ${lacking.join(" and ")} of ${repository}: give it that, and run this again`,
    );
};
