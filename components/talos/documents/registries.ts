import { documentOf, type TalosDocument } from "./document.ts";

/** Where images of a registry are fetched from instead. */
export interface RegistryMirror {
  /** URLs, tried in order. */
  endpoints: string[];
  /** Ask the registry itself never, not even when no mirror answers. */
  skipFallback: boolean;
  /** The URLs are whole, so that `/v2` is not added: a mirror below a path. */
  overridePath: boolean;
}

/** A document for each registry that has mirrors. */
export const registryMirrorDocuments = (mirrors: Record<string, RegistryMirror>): TalosDocument[] =>
  Object.entries(mirrors).map(([name, { endpoints, skipFallback, overridePath }]) =>
    documentOf("RegistryMirrorConfig", {
      name,
      endpoints: endpoints.map((url) => ({ url, ...(overridePath && { overridePath }) })),
      ...(skipFallback && { skipFallback }),
    }),
  );
