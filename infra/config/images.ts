import { z } from "zod";

import { says } from "./error.ts";

const kernelModule = z.strictObject({
  /** Name of the module. @example "drbd" */
  name: z.string().regex(/^[\w-]+$/, says("is not a kernel module", "write its name, such as drbd")),
  /** Parameters of the module. @example ["usermode_helper=disabled"] */
  parameters: z.array(z.string()).default([]),
});

/** An Image Factory profile, and the kernel modules that its machines load. */
export const imageSchema = z.strictObject({
  /** Official system extensions. */
  extensions: z
    .array(
      z
        .string()
        .regex(/^[\w-]+\/[\w.-]+$/, says("is not an extension", "write one such as siderolabs/qemu-guest-agent")),
    )
    .default([]),
  /** Arguments that are added to the kernel's command line. One that begins with `-` removes an argument. */
  kernelArguments: z
    .array(
      z
        .string()
        .regex(
          /^[\x21-\x7e]+$/,
          says("is not one kernel argument", "write each as an entry of its own, such as quiet"),
        ),
    )
    .default([]),
  /** Kernel modules that are loaded at boot, such as those of an extension. */
  kernelModules: z.array(kernelModule).default([]),
  /** With SecureBoot, also accept Microsoft's signatures, as on the firmware of a graphics card. @default false */
  wellKnownCertificates: z.boolean().default(false),
});

/** Image Factory profiles by name. */
export const imagesSchema = z.record(z.string(), imageSchema);
