export const initOptions = {} as const;
export const init = (): number => 0;
