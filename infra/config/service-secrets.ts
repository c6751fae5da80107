import { z } from "zod";

import { configuredIn, secretExample, type ServiceSecrets } from "../../components/talos/services.ts";
import { ConfigurationError, type ConfigurationProblem } from "./error.ts";
import type { HearthConfig } from "./schema.ts";
import { setSecret } from "./secrets.ts";

const token = z.string().regex(/^\S+$/);
const pem = z.string().startsWith("-----BEGIN ");

const secretsSchema = z.strictObject({
  tailscale: z.strictObject({ authKey: token }).optional(),
  netbird: z.strictObject({ setupKey: token }).optional(),
  cloudflared: z.strictObject({ token }).optional(),
  newt: z.strictObject({ secret: token }).optional(),
  "nut-client": z.strictObject({ password: z.string().regex(/^[^\n\r]+$/) }).optional(),
  nebula: z
    .strictObject({ authority: pem, nodes: z.record(z.string(), z.strictObject({ certificate: pem, key: pem })) })
    .optional(),
});

/**
 * Parses the secret `hearth:serviceSecrets`, and finds what the stack's services lack of it.
 *
 * @throws ConfigurationError that shows none of its content
 */
export const parseServiceSecrets = (
  text: string | undefined,
  stack: string,
  config: Pick<HearthConfig, "images" | "nodes">,
): ServiceSecrets => {
  if (text === undefined) return {};
  const parsed = secretsSchema.safeParse(json(text));
  if (!parsed.success) {
    throw new ConfigurationError(
      stack,
      parsed.error.issues.map(({ path }) => ({
        path: ["serviceSecrets", ...path],
        problem: "is not what a service's secret looks like",
        advice: 'write JSON by the service, such as {"tailscale": {"authKey": "…"}}',
      })),
    );
  }
  const problems = lacking(parsed.data, config);
  if (problems.length > 0) throw new ConfigurationError(stack, problems);
  return parsed.data;
};

const json = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const lacking = (
  secrets: ServiceSecrets,
  { images, nodes }: Pick<HearthConfig, "images" | "nodes">,
): ConfigurationProblem[] => {
  const used = Object.entries(nodes).flatMap(([node, { image }]) =>
    configuredIn(images[image]?.services ?? {}).map((service) => ({ node, service })),
  );
  const services = [...new Set(used.map(({ service }) => service))];
  return [
    ...services.flatMap((service) => {
      const example = secretExample(service);
      if (example === undefined || secrets[service as keyof ServiceSecrets] !== undefined) return [];
      return [
        {
          path: ["serviceSecrets", service],
          problem: "is missing, and the service starts by it",
          advice: `${setSecret("serviceSecrets")} with {"${service}": ${example}}`,
        },
      ];
    }),
    ...used
      .filter(({ node, service }) => service === "nebula" && secrets.nebula && !(node in secrets.nebula.nodes))
      .map(({ node }) => ({
        path: ["serviceSecrets", "nebula", "nodes", node],
        problem: "is missing, and every node of a Nebula network has a certificate of its own",
        advice: "sign one with nebula-cert, and add it with its key",
      })),
  ];
};
