import { documentOf, unlessEmpty, type TalosDocument } from "./document.ts";

/** Where a machine sends its logs. */
export interface LogDestination {
  /** `tcp://` or `udp://`, with a port. @example "udp://10.20.0.8:6051" */
  url: string;
  /** Fields that are added to each message. */
  tags: Record<string, string>;
}

/** Renders the machine section's logging: the services of Talos, a JSON object a line. */
export const loggingSection = (destinations: LogDestination[] = []) =>
  destinations.length > 0
    ? {
        logging: {
          destinations: destinations.map(({ url, tags }) => ({
            endpoint: url,
            format: "json_lines",
            ...unlessEmpty("extraTags", tags),
          })),
        },
      }
    : {};

/** Renders a document for each destination of the kernel's log, by its name. */
export const kernelLogDocuments = (destinations: Record<string, string> = {}): TalosDocument[] =>
  Object.entries(destinations).map(([name, url]) => documentOf("KmsgLogConfig", { name, url }));
