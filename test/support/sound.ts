import { expect } from "chai";

import type { Graph } from "./graph.ts";

/** Expects what holds for every graph of Hearth: unique names, registered parents, explicit providers. */
export const expectSound = ({ resources }: Graph): void => {
  const urns = resources.map(({ urn }) => urn);
  expect(
    urns.filter((urn, index) => urns.indexOf(urn) < index),
    "names used twice",
  ).to.deep.equal([]);
  const orphans = resources.filter(({ parent }) => parent !== "" && !urns.includes(parent));
  expect(
    orphans.map(({ urn }) => urn),
    "resources without their parent",
  ).to.deep.equal([]);
  const loose = resources.filter(({ custom, type, provider }) => custom && !type.startsWith("pulumi:") && !provider);
  expect(
    loose.map(({ urn }) => urn),
    "resources without an explicit provider",
  ).to.deep.equal([]);
};

/** Paths of inputs that hold one of the secrets without being marked secret. */
export const leaks = ({ resources }: Graph, secrets: string[]): string[] =>
  resources.flatMap(({ urn, inputs, secretPaths }) =>
    leaves(inputs)
      .filter(([, value]) => secrets.some((secret) => value.includes(secret)))
      .filter(([path]) => !secretPaths.some((secret) => path === secret || path.startsWith(`${secret}.`)))
      .map(([path]) => `${urn} ${path}`),
  );

const leaves = (value: unknown, path = ""): [string, string][] =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, path ? `${path}.${key}` : key))
    : [[path, String(value)]];
