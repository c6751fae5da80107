import { z } from "zod";

import { says } from "./error.ts";
import { promotionSchema } from "./promotion.ts";
import { day, release } from "./values.ts";

export const gitopsSchema = z
  .strictObject({
    /** The engine that reconciles the cluster with its repository. @default flux */
    engine: z
      .enum(["flux", "argocd"], says("is not an engine that Hearth knows", "write flux or argocd"))
      .default("flux"),
    /**
     * URL of the repository. Over SSH it is read with the stack's deploy key. Over HTTPS it is read with the secret
     * hearth:gitToken, or without credentials.
     * @example "ssh://git@github.com/you/hearth.git"
     */
    repository: z.url({
      protocol: /^(ssh|https)$/,
      error: says("is not a URL with ssh or https", "write one such as ssh://git@github.com/you/hearth.git"),
    }),
    /** Branch that the cluster follows. @example "main" */
    branch: z.string().min(1, says("is empty", "write one such as main")),
    /** Folder of the cluster in the repository. @example "gitops/clusters/dev" */
    path: z.string().min(1, says("is empty", "write the cluster's folder, such as gitops/clusters/dev")),
    /**
     * Lets `npx hearth promote` move the branch to commits that another stack runs healthily.
     * @default none: commits reach the branch as people push them
     */
    promotion: promotionSchema.optional(),
    /**
     * Last day, in UTC, on which volumes of apps may begin empty, because nothing of this installation was backed up before. An app that comes
     * later has a day of its own.
     * @default none: a volume without a backup waits for one
     * @example "2027-01-31"
     */
    emptyUntil: day.optional(),
    /** Lines of known_hosts for the server of an SSH URL. */
    knownHosts: z.string().optional(),
    /** Release of Flux, if it is the engine. */
    flux: release.optional(),
  })
  .superRefine(({ engine, repository, knownHosts, flux }, context) => {
    const require = (key: string, advice: string) => {
      context.addIssue({ code: "custom", path: [key], message: says("is missing", advice) });
    };
    if (repository.startsWith("ssh:") && !knownHosts) {
      require("knownHosts", "add what ssh-keyscan prints for the server, compared with what its owner publishes");
    }
    if (engine === "flux" && !flux) require("flux", "add a release such as v2.9.4");
  });
