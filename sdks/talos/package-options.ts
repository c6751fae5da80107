import { createRequire } from "node:module";

import type * as pulumi from "@pulumi/pulumi";

interface Manifest {
  pulumi: { version: string; server: string };
}

const manifest = createRequire(import.meta.url)("./package.json") as Manifest;

const plugin = { version: manifest.pulumi.version, pluginDownloadURL: manifest.pulumi.server };

/** Adds the plugin's version and download server to the options of a resource or a call. */
export const withPlugin = <T extends pulumi.ResourceOptions | pulumi.InvokeOptions>(options: T | undefined): T =>
  ({ ...plugin, ...options }) as T;
