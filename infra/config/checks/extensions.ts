import { configuredServices, extensionModules } from "../../../components/talos/extensions.ts";
import { configuredIn, extensionOf, secretExample } from "../../../components/talos/services.ts";
import type { ConfigurationProblem } from "../error.ts";
import { setSecret } from "../secrets.ts";
import type { Check, Draft } from "./check.ts";
import { patchesOf } from "./patches.ts";

const short = (extension: string): string => extension.replace(/^siderolabs\//, "");

/** The kernel takes hyphens and underscores in names of modules for the same. */
const moduleName = (name: string): string => name.replaceAll("-", "_");

/** Names of the services that patches configure, with the path of each patch. */
const configured = (draft: Draft) =>
  patchesOf(draft)
    .filter(({ patch: { kind } }) => kind === "ExtensionServiceConfig")
    .map(({ path, patch: { name } }) => ({ path, name: String(name) }));

/** The secret with further patches cannot be read here, so nothing is said where it is set. */
const servicesAreConfigured: Check = (draft) => {
  const { images = {}, nodes, secrets } = draft;
  if (secrets.includes("machinePatches")) return [];
  const known = configured(draft).map(({ name }) => name);
  return Object.entries(images)
    .filter(([profile]) => Object.values(nodes).some(({ image }) => image === profile))
    .flatMap(([profile, { extensions, services }]) =>
      extensions.flatMap((extension, index): ConfigurationProblem[] => {
        const name = short(extension);
        if (!configuredServices.includes(name) || known.includes(name) || name in services) return [];
        return [
          {
            path: ["images", profile, "extensions", index],
            problem: `${extension} waits for its configuration, and there is none`,
            advice: `add services: { ${name}: … } to the profile, or a patch of kind ExtensionServiceConfig with name: ${name}`,
            warning: true,
          },
        ];
      }),
    );
};

const configurationsAreRead: Check = (draft) => {
  const extensions = Object.values(draft.images ?? {}).flatMap((image) => image.extensions.map(short));
  return configured(draft)
    .filter(({ name }) => configuredServices.includes(name) && !extensions.includes(name))
    .map(({ path, name }) => ({
      path: [...path, "name"],
      problem: `${name} is a service that no image has`,
      advice: `add siderolabs/${name} to the extensions of the node's image profile`,
      warning: true,
    }));
};

const servicesHaveExtensions: Check = ({ images = {} }) =>
  Object.entries(images).flatMap(([profile, { extensions, services }]) =>
    configuredIn(services)
      .filter((service) => !extensions.includes(extensionOf(service)))
      .map((service) => ({
        path: ["images", profile, "services", service],
        problem: `is of ${extensionOf(service)}, which the image does not have`,
        advice: `add ${extensionOf(service)} to the profile's extensions`,
      })),
  );

const servicesHaveSecrets: Check = ({ images = {}, secrets, complete }) => {
  const needing = Object.entries(images).flatMap(([profile, { services }]) =>
    configuredIn(services).flatMap((service) => {
      const example = secretExample(service);
      return example === undefined ? [] : [{ path: ["images", profile, "services", service], service, example }];
    }),
  );
  if (secrets.includes("serviceSecrets")) {
    return complete && needing.length === 0
      ? [
          {
            path: ["serviceSecrets"],
            problem: "is not used, for no service of an image profile has a secret",
            advice: "remove the secret with: pulumi config rm hearth:serviceSecrets",
            warning: true,
          },
        ]
      : [];
  }
  return needing.map(({ path, service, example }) => ({
    path,
    problem: "needs its secret, and there is none",
    advice: `${setSecret("serviceSecrets")} '{"${service}": ${example}}'`,
    undeployable: true,
  }));
};

const modulesHaveExtensions: Check = ({ images = {} }) =>
  Object.entries(images).flatMap(([profile, { extensions, kernelModules }]) =>
    kernelModules.flatMap(({ name }, index): ConfigurationProblem[] => {
      const owner = extensionModules.find(({ modules }) => modules.includes(moduleName(name)));
      if (!owner || owner.extensions.some((each) => extensions.map(short).includes(each))) return [];
      return [
        {
          path: ["images", profile, "kernelModules", index, "name"],
          problem: `${name} is a module that the image does not have`,
          advice: `add siderolabs/${owner.extensions.join(" or siderolabs/")} to the profile's extensions`,
        },
      ];
    }),
  );

const extensionsHaveModules: Check = ({ images = {} }) =>
  Object.entries(images).flatMap(([profile, { extensions, kernelModules }]) =>
    extensions.flatMap((extension, index): ConfigurationProblem[] => {
      const [first, ...others] =
        extensionModules.find((each) => each.extensions.includes(short(extension)))?.modules ?? [];
      if (first === undefined || kernelModules.some(({ name }) => moduleName(name) === first)) return [];
      const missing = [first, ...others].map((name) => `{ name: ${name} }`).join(", ");
      return [
        {
          path: ["images", profile, "extensions", index],
          problem: `${extension} brings the kernel module ${first}, which is not loaded`,
          advice: `add kernelModules: [${missing}] to the profile`,
          warning: true,
        },
      ];
    }),
  );

const modulesOnce: Check = ({ images = {} }) =>
  Object.entries(images).flatMap(([profile, { kernelModules }]) => {
    const names = kernelModules.map(({ name }) => moduleName(name));
    return names
      .map((name, index) => ({ name, index }))
      .filter(({ name, index }) => names.indexOf(name) < index)
      .map(({ index }) => ({
        path: ["images", profile, "kernelModules", index, "name"],
        problem: `${kernelModules[index]?.name ?? ""} is listed twice`,
        advice: "remove one of them, and keep its parameters in the other",
      }));
  });

/** Arguments that decide what Talos boots as, which the platform and the image set. */
const platformArguments = ["talos.platform", "talos.config", "talos.hostname"];

const argumentsAreTheMachines: Check = ({ images = {} }) =>
  Object.entries(images).flatMap(([profile, { kernelArguments }]) =>
    kernelArguments.flatMap((argument, index): ConfigurationProblem[] => {
      const name = argument.replace(/^-/, "").split("=")[0] ?? "";
      if (!platformArguments.includes(name)) return [];
      return [
        {
          path: ["images", profile, "kernelArguments", index],
          problem: `${argument} decides what Hearth decides for each machine`,
          advice: "remove it: platform, configuration and name come from the node",
        },
      ];
    }),
  );

export const extensionChecks: Check[] = [
  servicesAreConfigured,
  configurationsAreRead,
  servicesHaveExtensions,
  servicesHaveSecrets,
  modulesHaveExtensions,
  extensionsHaveModules,
  modulesOnce,
  argumentsAreTheMachines,
];
