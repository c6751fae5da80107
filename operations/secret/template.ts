import { stringify } from "yaml";

/** A Secret as the user requests it. */
export interface NewSecret {
  name: string;
  /** Omitted if the folder's kustomization.yaml sets it. */
  namespace?: string;
  values: Record<string, string>;
}

/** The manifest of a Secret, before SOPS encrypts its values. Pure. */
export const secretManifest = ({ name, namespace, values }: NewSecret): string =>
  stringify({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    stringData: values,
  });
