const purposes = { controlplane: "cp", worker: "wk" } as const;

/**
 * The name that a node gets unless somebody gives it another.
 *
 * @param cluster undefined where it is not known
 * @example "den-dev-cp01"
 */
export const nodeName = (cluster: string | undefined, role: keyof typeof purposes, number: number): string =>
  `${cluster === undefined ? "" : `${cluster}-`}${purposes[role]}${String(number).padStart(2, "0")}`;
