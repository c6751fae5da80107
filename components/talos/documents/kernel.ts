import { unlessEmpty } from "./document.ts";

/** A kernel module that is loaded at boot. */
export interface KernelModule {
  name: string;
  /** @example ["usermode_helper=disabled"] */
  parameters: string[];
}

/** Renders the kernel's parts of the machine section. Kernel arguments are part of the image. */
export const kernelSection = (modules: KernelModule[], sysctls: Record<string, string>) => ({
  ...(modules.length > 0 && {
    kernel: { modules: modules.map(({ name, parameters }) => ({ name, ...unlessEmpty("parameters", parameters) })) },
  }),
  ...unlessEmpty("sysctls", sysctls),
});
