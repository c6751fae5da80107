import { z } from "zod";

import { says } from "./error.ts";

const kernelModule = z.strictObject({
  /** What the kernel calls it. @example "drbd" */
  name: z.string().regex(/^[\w-]+$/, says("is not a kernel module", "write its name, such as drbd")),
  /** What the module is loaded with. @example ["usermode_helper=disabled"] */
  parameters: z.array(z.string()).default([]),
});

/** An Image Factory profile, and what the machines with it load. */
export const imageSchema = z.strictObject({
  /** Official system extensions. */
  extensions: z
    .array(
      z
        .string()
        .regex(/^[\w-]+\/[\w.-]+$/, says("is not an extension", "write one such as siderolabs/qemu-guest-agent")),
    )
    .default([]),
  /** Arguments added to the kernel's command line, one each; one that begins with `-` removes an argument. */
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
  /** With SecureBoot, also accept what Microsoft signed, such as firmware of a graphics card. @default false */
  wellKnownCertificates: z.boolean().default(false),
});

/** Image Factory profiles by name. */
export const imagesSchema = z.record(z.string(), imageSchema);
