import { z } from "zod";

import { says } from "./error.ts";

/** A DNS label, as Kubernetes and hosts require for names. */
export const name = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    says("is not a name", "use at most 63 lower-case letters, digits and hyphens, such as den-dev-cp01"),
  );

export const address = z.ipv4(says("is not an IPv4 address", "write one such as 10.20.0.11")).brand<"Address">();
export type Address = z.output<typeof address>;

export const cidr = z.cidrv4(says("is not an IPv4 range", "write one such as 10.20.0.0/24")).brand<"Cidr">();
export type Cidr = z.output<typeof cidr>;

export const mac = z
  .string()
  .regex(/^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$/, says("is not a MAC address", "write one such as BC:24:11:20:00:11"))
  .transform((value) => value.toUpperCase())
  .brand<"MacAddress">();
export type MacAddress = z.output<typeof mac>;

export const release = z
  .string()
  .regex(/^v\d+\.\d+\.\d+$/, says("is not a release", "write one with three numbers, such as v1.13.9"));

/** A Talos minor, such as `v1.13`. */
export const minor = z.string().regex(/^v\d+\.\d+$/, says("is not a minor", "write two numbers, such as v1.13"));

export const hex32 = z
  .string()
  .regex(
    /^[0-9a-f]{32}$/,
    says("is not one of Cloudflare's identifiers", "copy the 32 hexadecimal digits from the dashboard's overview page"),
  );

export const httpsUrl = (example: string) =>
  z.url({ protocol: /^https$/, error: says("is not a URL with https", `write one such as ${example}`) });

export const device = z.string().startsWith("/dev/", says("is not a device", "write its path, such as /dev/sda"));

export const vlan = z
  .int()
  .min(1, says("is no VLAN", "give 1 to 4094"))
  .max(4094, says("is no VLAN", "give 1 to 4094"));
