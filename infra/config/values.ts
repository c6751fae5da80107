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

export const address6 = z.ipv6(says("is not an IPv6 address", "write one such as fd00:10:20::11")).brand<"Address6">();

export const cidr6 = z.cidrv6(says("is not an IPv6 range", "write one such as fd00:10:20::/64")).brand<"Cidr6">();

const isEither = (value: string, [v4, v6]: [z.ZodType, z.ZodType]): boolean =>
  v4.safeParse(value).success || v6.safeParse(value).success;

/** An address of either family. */
export const anyAddress = z
  .string()
  .refine((value) => isEither(value, [z.ipv4(), z.ipv6()]), says("is not an address", "write one such as 10.20.0.1"));

/** A range of either family. */
export const anyCidr = z
  .string()
  .refine(
    (value) => isEither(value, [z.cidrv4(), z.cidrv6()]),
    says("is not a range", "write one such as 10.20.0.0/24"),
  );

/** An address of either family with the length of its network's prefix. */
export const addressInNetwork = z
  .string()
  .refine(
    (value) => isEither(value, [z.cidrv4(), z.cidrv6()]),
    says("is not an address with the length of its network's prefix", "write one such as 10.20.0.111/24"),
  );

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

/** A day. Pulumi's YAML reads an unquoted one as a time, and passes that on. */
export const day = z
  .string()
  .regex(
    /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])( 00:00:00 \+0000 UTC)?$/,
    says("is not a date", "write one such as 2027-06-30"),
  )
  .transform((value) => value.slice(0, 10));
