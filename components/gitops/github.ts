import * as pulumi from "@pulumi/pulumi";

import type { Hosted } from "./repository.ts";

/**
 * GitHub's plugin. The engine downloads it only for stacks that use it.
 *
 * Its package @pulumi/github is not a dependency, because the engine installs the plugins of all packages that it finds,
 * used or not. The type tokens and fields below are those of that package.
 */
export const githubPlugin = { version: "6.15.0" };

export interface GitHubArgs {
  repository: Hosted;
  /** Token that may administer the repository. Secret. */
  token: pulumi.Input<string>;
  /** Title of the deploy key. */
  title: string;
  /** Public half of the deploy key. */
  deployKey: pulumi.Input<string>;
  /** Where GitHub sends push notifications, and the key that signs them. Both are secret. */
  webhook?: { url: pulumi.Input<string>; secret: pulumi.Input<string> } | undefined;
}

/** Registers a cluster with GitHub: the deploy key that reads the repository, and the webhook for pushes. */
export class GitHubRegistration extends pulumi.ComponentResource {
  constructor(name: string, args: GitHubArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:gitops:GitHubRegistration", name, {}, opts);
    const provider = new GitHubProvider(name, { owner: args.repository.owner, token: args.token }, { parent: this });
    const options = { parent: this, provider };
    new DeployKey(
      "deploy-key",
      { repository: args.repository.name, title: args.title, key: args.deployKey, readOnly: true },
      options,
    );
    if (args.webhook) {
      new Webhook(
        "push",
        {
          repository: args.repository.name,
          events: ["push"],
          active: true,
          configuration: pulumi.secret({ ...args.webhook, contentType: "json", insecureSsl: false }),
        },
        options,
      );
    }
    this.registerOutputs({});
  }
}

class GitHubProvider extends pulumi.ProviderResource {
  constructor(
    name: string,
    { owner, token }: { owner: string; token: pulumi.Input<string> },
    opts: pulumi.ResourceOptions,
  ) {
    super("github", name, { owner, token: pulumi.secret(token) }, { ...opts, ...githubPlugin });
  }
}

class DeployKey extends pulumi.CustomResource {
  constructor(
    name: string,
    args: { repository: string; title: string; key: pulumi.Input<string>; readOnly: boolean },
    opts: pulumi.CustomResourceOptions,
  ) {
    super("github:index/repositoryDeployKey:RepositoryDeployKey", name, args, { ...opts, ...githubPlugin });
  }
}

class Webhook extends pulumi.CustomResource {
  constructor(
    name: string,
    args: { repository: string; events: string[]; active: boolean; configuration: pulumi.Input<object> },
    opts: pulumi.CustomResourceOptions,
  ) {
    super("github:index/repositoryWebhook:RepositoryWebhook", name, args, { ...opts, ...githubPlugin });
  }
}
