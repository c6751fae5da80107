import { z } from "zod";

import { says } from "./error.ts";
import { address } from "./values.ts";

/** Talos refuses a path, and a destination without a port. Source: siderolabs/talos v1.13.9, config/types/runtime/kmsg_log.go. */
const logUrl = z
  .string()
  .regex(
    /^(tcp|udp):\/\/[^\s/:@]+:\d{1,5}$/,
    says("is not where logs can be sent", "write tcp:// or udp://, a host and a port, such as udp://10.20.0.8:6051"),
  );

const logDestination = z.strictObject({
  /** Where to. @example "udp://10.20.0.8:6051" */
  url: logUrl,
  /** Fields that are added to each message. */
  tags: z.record(z.string(), z.string()).default({}),
});

const notCertificate = says(
  "is not a certificate",
  "paste the authority's certificate in PEM, beginning with -----BEGIN",
);

const label = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, says("is not a name", "use lower-case letters, digits and hyphens"));

const hostName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
    says("is not the name of a host", "write one such as nas.example.com"),
  );

/** A duration as Go writes it, in seconds. */
const seconds = (text: string): number => {
  const [, hours = "0", minutes = "0", rest = "0"] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? [];
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
};

const watchdog = z.strictObject({
  /** Path of the timer. @default "/dev/watchdog0" */
  device: z
    .string()
    .regex(/^\/dev\/watchdog\d*$/, says("is not a watchdog", "write its path, such as /dev/watchdog0"))
    .default("/dev/watchdog0"),
  /** Time without a sign of life after which the machine restarts. @default "1m" */
  timeout: z
    .string()
    .refine(
      (text) => seconds(text) >= 10,
      says("is no time that Talos accepts", "write at least 10s, such as 30s or 1m"),
    )
    .default("1m"),
});

/** Keys of the cluster that say what its machines know of their surroundings, and what those learn of the machines. */
export const surroundingsKeys = {
  /** Certificates of authorities in PEM by name, which machines and the container runtime trust beside the usual ones. */
  trustedRoots: z
    .record(
      label,
      z
        .string()
        .regex(/^\s*(#.*\s*)*-----BEGIN CERTIFICATE-----\n[\s\S]+-----END CERTIFICATE-----\s*$/, notCertificate),
    )
    .default({}),
  /** Names of hosts by their address, which machines know without a DNS server. @example {"10.20.0.8":["nas.example.com"]} */
  staticHosts: z.record(address, z.array(hostName).min(1, says("is empty", "name at least one host"))).default({}),
  /** Where machines send the logs of Talos's services, a JSON object a line. */
  logDestinations: z.array(logDestination).default([]),
  /** Where machines send the kernel's log, by a name. @example {"nas":"udp://10.20.0.8:6050"} */
  kernelLogDestinations: z.record(label, logUrl).default({}),
  /** Hardware timer that restarts a machine which hangs. Virtual machines are given one. */
  watchdog: watchdog.optional(),
  /** Use the cache of images that a machine's boot medium was made with; one without a cache has none. @default false */
  imageCache: z.boolean().default(false),
};

const credentials = z.union([
  z.strictObject({ username: z.string().min(1), password: z.string().min(1) }),
  z.strictObject({ identityToken: z.string().min(1) }),
]);

/** Schema of the secret `hearth:registryCredentials`: by registry, such as `ghcr.io`. */
export const registryCredentialsSchema = z.record(z.string().regex(/^[a-z0-9.-]+(:\d+)?$|^\*$/), credentials);
