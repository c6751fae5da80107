import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A call that the engine logs. Source: pulumi 3.259.0, sdk/go/common/util/rpcutil/rpcdebug, logs.go. */
interface Call {
  method: string;
  request?: { type?: string; name?: string; custom?: boolean; object?: object; provider?: string };
  response?: { urn?: string };
}

const program = `const pulumi = require("@pulumi/pulumi");
const providers = {};
for (const { urn, type, name, inputs, provider } of require("./resources.json")) {
  if (type.startsWith("pulumi:providers:")) {
    providers[urn] = new pulumi.ProviderResource(type.split(":")[2], name, inputs);
  } else {
    new pulumi.CustomResource(type, name, inputs, { provider: providers[provider] });
  }
}
`;

/**
 * Writes a program that registers what another one does, without components, and with no resource waiting for another.
 *
 * @param log what the engine wrote to the file that PULUMI_DEBUG_GRPC names, while it ran the other program
 * @param packages the folder `node_modules`
 */
export const bareProgram = async (folder: string, log: string, packages: string): Promise<void> => {
  const resources = log
    .split("\n")
    .filter((line) => line.includes("ResourceMonitor/RegisterResource"))
    .flatMap((line) => {
      const { method, request, response } = JSON.parse(line) as Call;
      if (!method.endsWith("/RegisterResource") || request?.custom !== true || response === undefined) return [];
      const { type, name, object = {}, provider } = request;
      return { urn: response.urn, type, name, inputs: object, provider: provider?.replace(/::[^:]*$/, "") };
    });
  await mkdir(folder, { recursive: true });
  await symlink(packages, join(folder, "node_modules"));
  const files = {
    "Pulumi.yaml": "name: bare\nruntime: { name: nodejs, options: { typescript: false } }\n",
    "package.json": `${JSON.stringify({ name: "bare", main: "index.js", dependencies: { "@pulumi/pulumi": "*" } })}\n`,
    "index.js": program,
    "resources.json": JSON.stringify(resources),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
};
