/** Whether a name is a zone or below it. */
export const within = (name: string, zone: string): boolean => name === zone || name.endsWith(`.${zone}`);

/** Returns the full name of a record: `@` is the zone, and any other name outside the zone is relative to it. */
export const fullName = (name: string, zone: string): string => {
  const bare = name.replace(/\.$/, "").toLowerCase();
  if (bare === "@") return zone;
  return within(bare, zone) ? bare : `${bare}.${zone}`;
};
