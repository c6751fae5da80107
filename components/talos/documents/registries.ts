import { documentOf, type TalosDocument } from "./document.ts";

/** A mirror of an image registry. */
export interface RegistryMirror {
  /** URLs, tried in order. */
  endpoints: string[];
  /** Never fall back to the registry itself, even if no mirror answers. */
  skipFallback: boolean;
  /** Use the URLs as they are, without adding `/v2`. Needed for a mirror below a path. */
  overridePath: boolean;
}

/** Renders a document for each registry that has mirrors. */
export const registryMirrorDocuments = (mirrors: Record<string, RegistryMirror>): TalosDocument[] =>
  Object.entries(mirrors).map(([name, { endpoints, skipFallback, overridePath }]) =>
    documentOf("RegistryMirrorConfig", {
      name,
      endpoints: endpoints.map((url) => ({ url, ...(overridePath && { overridePath }) })),
      ...(skipFallback && { skipFallback }),
    }),
  );
