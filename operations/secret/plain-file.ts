import { parseAllDocuments, type Document } from "yaml";

/** Parts of a Secret that SOPS encrypts, as `.sops.yaml` says. */
const sections = ["data", "stringData"] as const;

type Section = (typeof sections)[number];

interface Place {
  document: Document;
  path: [Section, string];
}

/** A decrypted file of Secrets, whose values can be exchanged. Comments stay. */
export class PlainFile {
  private readonly documents: Document[];
  private readonly places: ReadonlyMap<string, Place>;

  constructor(text: string) {
    this.documents = parseAllDocuments(text);
    this.places = new Map(
      this.documents.flatMap((document) => {
        const { metadata, ...secret } = document.toJS() as Partial<Record<Section, object>> & {
          metadata?: { name?: string };
        };
        const prefix = this.documents.length === 1 ? "" : `${metadata?.name ?? ""}.`;
        return sections.flatMap((section) =>
          Object.keys(secret[section] ?? {}).map((key): [string, Place] => [
            `${prefix}${key}`,
            { document, path: [section, key] },
          ]),
        );
      }),
    );
  }

  /** Values by key; by name and key, such as `blog.password`, in a file of several Secrets. */
  values(): Record<string, string> {
    return Object.fromEntries(
      [...this.places].map(([id, { document, path }]) => {
        const value = String(document.getIn(path));
        return [id, path[0] === "data" ? Buffer.from(value, "base64").toString() : value];
      }),
    );
  }

  /** The text with other values. */
  withValues(values: Readonly<Record<string, string>>): string {
    for (const [id, value] of Object.entries(values)) {
      const place = this.places.get(id);
      const [section] = place?.path ?? [];
      place?.document.setIn(place.path, section === "data" ? Buffer.from(value).toString("base64") : value);
    }
    return this.documents.map((document) => document.toString({ lineWidth: 0 })).join("");
  }
}
