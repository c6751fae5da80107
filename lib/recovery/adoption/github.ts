import { resourceTypes } from "../../../components/resource-types.ts";
import { revealed } from "../../engine/value.ts";
import { refresh, type Adopter, type Adopters, type Creation } from "./adopter.ts";
import { record, text, type Properties } from "./properties.ts";

const list = async ({ invoke, inputs }: Creation, what: string, result: string): Promise<Properties[]> => {
  const found = await invoke(`github:index/get${what}:get${what}`, { repository: text(inputs, "repository") });
  return (revealed(found[result]) ?? []) as Properties[];
};

/** A key without its comment, which GitHub does not keep. */
const bare = (key: string): string => key.trim().split(/\s+/).slice(0, 2).join(" ");

/** A deploy key is known by its public key: GitHub accepts none twice. */
const deployKey: Adopter = async (creation) => {
  const key = bare(text(creation.inputs, "key"));
  const keys = await list(creation, "RepositoryDeployKeys", "keys");
  const found = keys.find((each) => bare(text(each, "key")) === key);
  return found && refresh(creation, `${text(creation.inputs, "repository")}:${text(found, "id")}`);
};

/** A webhook is known by its URL. GitHub never shows its secret, so it is assumed to be the one that the webhook was created with. */
const webhook: Adopter = async (creation) => {
  const wanted = text(record(creation.inputs, "configuration"), "url");
  for (const each of await list(creation, "RepositoryWebhooks", "webhooks")) {
    const found = await refresh(creation, text(each, "id"));
    if (found && text(record(found.properties, "configuration"), "url") === wanted) return found;
  }
  return undefined;
};

/** How GitHub's resources are found. */
export const gitHubAdopters: Adopters = {
  [resourceTypes.deployKey]: deployKey,
  [resourceTypes.webhook]: webhook,
};
