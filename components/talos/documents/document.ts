/** A document of a Talos machine configuration, or a patch of one. */
export type TalosDocument = Record<string, unknown>;

/** Renders a document with a kind. */
export const documentOf = (kind: string, fields: Record<string, unknown>): TalosDocument => ({
  apiVersion: "v1alpha1",
  kind,
  ...withoutUndefined(fields),
});

/** Drops undefined fields, so that Talos's defaults apply. */
export const withoutUndefined = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** Returns an object with one field, or an empty object if the value is empty. */
export const unlessEmpty = (name: string, value: object): Record<string, unknown> =>
  Object.keys(value).length > 0 ? { [name]: value } : {};
