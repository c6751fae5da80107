import { unlessEmpty } from "./document.ts";

/** A kernel module that is loaded at boot. */
export interface KernelModule {
  name: string;
  /** @example ["usermode_helper=disabled"] */
  parameters: string[];
}

/** The parts of the machine section that are about the kernel. Its arguments are in the image. */
export const kernelSection = (modules: KernelModule[], sysctls: Record<string, string>) => ({
  ...(modules.length > 0 && {
    kernel: { modules: modules.map(({ name, parameters }) => ({ name, ...unlessEmpty("parameters", parameters) })) },
  }),
  ...unlessEmpty("sysctls", sysctls),
});
