import { stringify } from "yaml";

/** A Secret as a person asks for it. */
export interface NewSecret {
  name: string;
  /** Left out where the folder's kustomization.yaml gives it. */
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
