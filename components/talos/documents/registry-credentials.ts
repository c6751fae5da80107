import { documentOf, type TalosDocument } from "./document.ts";

/** Credentials for an image registry. Secret. */
export type RegistryCredentials = { username: string; password: string } | { identityToken: string };

/** Renders a document for each registry. The result is secret. */
export const registryCredentialDocuments = (credentials: Record<string, RegistryCredentials>): TalosDocument[] =>
  Object.entries(credentials).map(([name, given]) => documentOf("RegistryAuthConfig", { name, ...given }));
