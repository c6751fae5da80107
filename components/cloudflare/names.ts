/** Whether a name is a zone or below it. */
export const within = (name: string, zone: string): boolean => name === zone || name.endsWith(`.${zone}`);

/** The full name of a record: `@` is the zone, and a name that does not end with the zone is relative to it. */
export const fullName = (name: string, zone: string): string => {
  const bare = name.replace(/\.$/, "").toLowerCase();
  if (bare === "@") return zone;
  return within(bare, zone) ? bare : `${bare}.${zone}`;
};
