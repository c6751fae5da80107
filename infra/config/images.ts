import { z } from "zod";

import { says } from "./error.ts";
import { services } from "./services.ts";

const kernelModule = z.strictObject({
  /** Name of the module. @example "drbd" */
  name: z.string().regex(/^[\w-]+$/, says("is not a kernel module", "write its name, such as drbd")),
  /** Parameters of the module. @example ["usermode_helper=disabled"] */
  parameters: z.array(z.string()).default([]),
});

/** What a single-board computer needs to boot: its firmware and device tree. */
const overlay = z.strictObject({
  /** Image of the overlay. @example "siderolabs/sbc-raspberrypi" */
  image: z
    .string()
    .regex(/^[\w-]+\/sbc-[\w-]+$/, says("is not an overlay", "write one such as siderolabs/sbc-raspberrypi")),
  /** The board in it. @example "rpi_generic" */
  name: z.string().regex(/^[\w-]+$/, says("is not the name of a board", "write one such as rpi_generic")),
});

/** An Image Factory profile, and the kernel modules that its machines load. */
export const imageSchema = z.strictObject({
  /** Architecture of its machines' processors. A cluster may have both. @default "amd64" */
  architecture: z.enum(["amd64", "arm64"]).default("amd64"),
  /** What a single-board computer needs to boot. @default none */
  overlay: overlay.optional(),
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
  /** Settings of the services that the extensions bring. What is secret of them is in `hearth:serviceSecrets`. */
  services: services.prefault({}),
  /** With SecureBoot, also accept Microsoft's signatures, as on the firmware of a graphics card. @default false */
  wellKnownCertificates: z.boolean().default(false),
});

/** Image Factory profiles by name. */
export const imagesSchema = z.record(z.string(), imageSchema);
