/** A document of a Talos machine configuration, or a patch of one. */
export type TalosDocument = Record<string, unknown>;

/** A document of one kind, as Talos has had them since its first multi-document configuration. */
export const documentOf = (kind: string, fields: Record<string, unknown>): TalosDocument => ({
  apiVersion: "v1alpha1",
  kind,
  ...withoutUndefined(fields),
});

/** Drops what was not said, so that Talos's own default holds. */
export const withoutUndefined = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** A field by its name, unless it holds nothing. */
export const unlessEmpty = (name: string, value: object): Record<string, unknown> =>
  Object.keys(value).length > 0 ? { [name]: value } : {};
