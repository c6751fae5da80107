import { createHash } from "node:crypto";

import { hosted } from "./repository.ts";

/** The Receiver in the GitOps tree that takes push notifications. */
export const receiver = { name: "push", namespace: "flux-system" };

/**
 * Path at which Flux listens for a Receiver.
 *
 * Source: fluxcd/notification-controller, api/v1, Receiver.GetWebhookPath.
 */
export const receiverPath = (token: string, { name, namespace } = receiver): string =>
  `/hook/${createHash("sha256")
    .update(token + name + namespace)
    .digest("hex")}`;

/** The Receiver's type for a repository's host, which determines how notifications are signed. */
export const receiverType = (repository: string): "github" | "gitlab" | "generic-hmac" => {
  const { host } = hosted(repository);
  if (host === "github.com") return "github";
  return host === "gitlab.com" ? "gitlab" : "generic-hmac";
};

/** The repository's page at its host, such as `https://github.com/you/hearth`. */
export const repositoryPage = (repository: string): string => {
  const { host, owner, name } = hosted(repository);
  return `https://${host}/${owner}/${name}`;
};

/** The ingress rule that passes push notifications to Flux, and no other requests. */
export const webhookRule = (hostname: string) => ({
  hostname,
  path: "^/hook/[0-9a-f]{64}$",
  service: `http://webhook-receiver.${receiver.namespace}.svc.cluster.local:80`,
  comment: "Tells Flux of a push",
});
