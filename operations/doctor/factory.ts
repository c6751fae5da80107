import { resourceTypes } from "../../components/resource-types.ts";
import { schematicId } from "../../components/talos/schematic.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import type { Subject } from "./doctor.ts";
import { fine, known, notAsked, problem, type Finding, type Known } from "./finding.ts";
import { idsIn } from "./surroundings.ts";

/** What is known of the Image Factory. */
export interface FactoryFacts {
  /** The HTTP status of each profile's schematic, by its name. */
  schematics: Record<string, Known<number>>;
  /** The Talos releases that it lists; undefined if this factory does not list them. */
  releases: Known<string[] | undefined>;
  /** IDs of the schematics that the state has. */
  registered: string[];
}

/** The profiles that nodes use, with their IDs. */
const profilesOf = ({ images, nodes }: HearthConfig): { name: string; id: string }[] => {
  const used = new Set(Object.values(nodes).map(({ image }) => image));
  return Object.entries(images)
    .filter(([name]) => used.has(name))
    .map(([name, profile]) => ({ name, id: schematicId(profile) }));
};

export const factoryFindings = (
  config: HearthConfig,
  { schematics, releases, registered }: FactoryFacts,
): Finding[] => {
  const { imageFactory, cluster } = config;
  const read = Object.values(schematics);
  const silent = read.find((each) => "why" in each);
  if (silent && read.every((each) => "why" in each)) {
    return [
      problem(
        "factory",
        `${imageFactory} does not answer: ${silent.why}`,
        "look at hearth:imageFactory and at the network: images are downloaded from there, and installers are pulled by the machines",
      ),
    ];
  }
  return [
    ...profilesOf(config).map((profile) => profileFinding(profile, schematics[profile.name], registered)),
    releaseFinding(cluster.talos, releases),
  ];
};

/** A schematic that is not registered yet is so before the first deployment that uses it: an update registers it. */
const profileFinding = (
  { name, id }: { name: string; id: string },
  status: Known<number> | undefined,
  registered: readonly string[],
): Finding => {
  const check = `factory profile ${name}`;
  if (status === undefined || "why" in status) return notAsked(check, status?.why ?? "it was not asked for");
  if (status.value === 200) return fine(check, `is registered as ${id.slice(0, 12)}…`);
  if (status.value !== 404) {
    return problem(
      check,
      `the factory answers ${status.value.toString()}`,
      "run this again later; nothing can be installed meanwhile",
    );
  }
  return registered.includes(id)
    ? problem(
        check,
        `the factory no longer knows ${id.slice(0, 12)}…, which the state has as registered`,
        "no machine can be installed or upgraded with it. Register it again: pulumi up --refresh, or post the profile to another factory " +
          "and name that as hearth:imageFactory",
      )
    : fine(check, "is not registered yet; the next deployment registers it");
};

const releaseFinding = (talos: string, releases: Known<string[] | undefined>): Finding => {
  const check = `factory release ${talos}`;
  if ("why" in releases) return notAsked(check, releases.why);
  if (releases.value === undefined) return notAsked(check, "this factory does not list its releases");
  if (releases.value.includes(talos)) return fine(check, "is there");
  const minor = talos.split(".").slice(0, 2).join(".");
  const newest = releases.value.filter((release) => release.startsWith(`${minor}.`) && !release.includes("-")).at(-1);
  return problem(
    check,
    "is not among the factory's releases",
    newest === undefined ? "correct cluster.talos" : `correct cluster.talos: the newest of ${minor} is ${newest}`,
  );
};

/** The Image Factory. Source of its API: siderolabs/image-factory v1.5.0, internal/frontend/http/http.go. */
export const factory: Subject = {
  name: "factory",
  examine: async ({ config, internet, state }) => {
    const url = (path: string): string => new URL(path, config.imageFactory).href;
    const profiles = await Promise.all(
      profilesOf(config).map(
        async ({ name, id }) =>
          [name, await known(async () => (await internet.ask(url(`/schematics/${id}`))).status)] as const,
      ),
    );
    const releases = await known(async () => {
      const { status, text } = await internet.ask(url("/versions"));
      return status === 200 ? (JSON.parse(text) as string[]) : undefined;
    });
    return factoryFindings(config, {
      schematics: Object.fromEntries(profiles),
      releases,
      registered: idsIn(state, resourceTypes.schematic),
    });
  },
};
