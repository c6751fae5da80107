import { createHash } from "node:crypto";
import { z } from "zod";
import { Problem } from "../problem.ts";
import type { Asset } from "./releases.ts";
import { discard, type Answer, type Web } from "./web.ts";

const descriptor = z.object({
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  mediaType: z.string(),
  platform: z.object({ os: z.string(), architecture: z.string() }).partial().optional(),
});
const document = z.object({ manifests: z.array(descriptor).optional(), layers: z.array(descriptor).optional() });
type Descriptor = z.infer<typeof descriptor>;
type Manifest = z.infer<typeof document>;

const accept = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** A layer of an image, and the headers for downloading it. */
export interface Layer {
  url: string;
  digest: string;
  headers: Record<string, string>;
}

/** An image by its parts. */
export interface Reference {
  /** URL of its repository in the registry. */
  base: string;
  /** Its tag, or its digest (`sha256:…`) if it has one. */
  version: string;
}

/**
 * Splits the reference of an image with a tag or a digest.
 *
 * Without a scheme, a registry of this computer is asked without TLS. Source: containerd v2.2, core/remotes/docker/registry.go, MatchLocalhost.
 */
export const parseReference = (reference: string): Reference => {
  const found = /^(?:(https?):\/\/)?([^/]+)\/([^@]+?)(?::([^:/@]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(reference);
  const [, scheme, host = "", repository = "", tag, digest] = found ?? [];
  const version = digest ?? tag;
  if (version === undefined) throw new Problem(`"${reference}" is not the reference of an image with a tag`);
  const isHub = host === "docker.io";
  const path = isHub && !repository.includes("/") ? `library/${repository}` : repository;
  // Docker Hub's registry has another host name than its images.
  const server = isHub ? "registry-1.docker.io" : host;
  return { base: `${scheme ?? (isLocal(host) ? "http" : "https")}://${server}/v2/${path}`, version };
};

const isLocal = (host: string): boolean => /^(localhost|127(\.\d+){3})(:\d+)?$/.test(host);

/** Thrown where a registry answers, and not with what it was asked for. */
export class Refused extends Error {
  override readonly name = "Refused";

  constructor(
    readonly status: number,
    what = "",
  ) {
    super(`HTTP ${status.toString()}${what}`);
  }
}

/** An anonymous client of an image registry, which gets the token that the registry's challenge demands. */
export class Registry {
  private headers: Record<string, string> = {};
  private readonly base: string;
  private readonly version: string;

  constructor(
    private readonly web: Web,
    private readonly reference: string,
  ) {
    ({ base: this.base, version: this.version } = parseReference(reference));
  }

  /** Returns the layers of an image for a platform, the topmost first. */
  async layers(digest: string, { os, arch }: Asset): Promise<Layer[]> {
    const index = await this.manifest(digest);
    const { layers = [] } = index.manifests === undefined ? index : await this.platformOf(index.manifests, os, arch);
    return layers.reverse().map((layer) => this.located(layer));
  }

  private located({ digest }: Descriptor): Layer {
    return {
      url: `${this.base}/blobs/${digest}`,
      digest: digest.replace("sha256:", ""),
      headers: this.headers,
    };
  }

  /** Returns the first layer of that media type in what the tag refers to now. */
  async layer(mediaType: string): Promise<Layer> {
    const { layers = [] } = document.parse(JSON.parse(await this.read(this.version)));
    const found = layers.find((layer) => layer.mediaType === mediaType);
    if (found === undefined) throw new Error(`what it refers to has no ${mediaType}`);
    return this.located(found);
  }

  /**
   * Returns the digest of what the reference names now.
   *
   * It asks by HEAD, which Docker Hub does not count as a pull. Sources: distribution-spec v1.1, "Pulling manifests", of the header
   * Docker-Content-Digest, which a registry may leave out; docs.docker.com, "Docker Hub pull usage and limits".
   *
   * @throws Refused if the registry does not have it, or does not say
   */
  async digest(): Promise<string> {
    const answer = await this.ask(`${this.base}/manifests/${this.version}`, "HEAD");
    await discard(answer);
    if (answer.statusCode !== 200) throw new Refused(answer.statusCode);
    const said = /^sha256:([0-9a-f]{64})$/.exec(String(answer.headers["docker-content-digest"]))?.[1];
    return said ?? sha256(await this.read(this.version));
  }

  /** Whether the registry answers requests for the image, even if it does not have it. */
  async has(digest: string, signal: AbortSignal): Promise<boolean> {
    const answer = await this.ask(`${this.base}/manifests/sha256:${digest}`, "HEAD", signal);
    await discard(answer);
    return answer.statusCode === 200 || answer.statusCode === 404;
  }

  private platformOf(manifests: readonly Descriptor[], os: string, arch: string): Promise<Manifest> {
    const fits = manifests.find(({ platform }) => platform?.os === os && platform.architecture === arch);
    if (fits === undefined) throw new Error(`there is no image for ${os}/${arch}`);
    return this.manifest(fits.digest.replace("sha256:", ""));
  }

  private async manifest(digest: string): Promise<Manifest> {
    const text = await this.read(`sha256:${digest}`);
    const found = sha256(text);
    if (found !== digest) throw new Problem(mismatch(`the manifest of ${this.reference}`, digest, found));
    return document.parse(JSON.parse(text));
  }

  private async read(version: string): Promise<string> {
    const answer = await this.ask(`${this.base}/manifests/${version}`, "GET");
    if (answer.statusCode !== 200) {
      await discard(answer);
      throw new Refused(answer.statusCode);
    }
    return answer.body.text();
  }

  private async ask(url: string, method: "GET" | "HEAD", signal?: AbortSignal): Promise<Answer> {
    const options = { method, ...(signal === undefined ? {} : { signal }) };
    const first = await this.web.ask(url, { ...options, headers: { accept, ...this.headers } });
    const challenge = first.headers["www-authenticate"];
    if (first.statusCode !== 401 || typeof challenge !== "string" || "authorization" in this.headers) return first;
    await discard(first);
    this.headers = { authorization: `Bearer ${await this.token(challenge, signal)}` };
    return this.web.ask(url, { ...options, headers: { accept, ...this.headers } });
  }

  private async token(challenge: string, signal?: AbortSignal): Promise<string> {
    const part = (name: string): string | undefined => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1];
    const realm = part("realm");
    if (!/^bearer /i.test(challenge) || realm === undefined) throw new Error("wants a password");
    const url = new URL(realm);
    for (const name of ["service", "scope"]) url.searchParams.set(name, part(name) ?? "");
    const answer = await this.web.ask(url.href, signal === undefined ? {} : { signal });
    if (answer.statusCode !== 200) {
      await discard(answer);
      throw new Refused(answer.statusCode, " for a token");
    }
    const body = z
      .object({ token: z.string() })
      .or(z.object({ access_token: z.string() }))
      .parse(await answer.body.json());
    return "token" in body ? body.token : body.access_token;
  }
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The message for content whose digest is not the expected one. */
export const mismatch = (what: string, expected: string, found: string): string =>
  [
    `The digest of ${what} differs, so it is not used:`,
    `  expected  sha256:${expected}`,
    `  found     sha256:${found}`,
    "Run this again. If the digest still differs, the vendor or somebody in between changed the file: do not use it. HEARTH_DOWNLOADS=off builds instead",
  ].join("\n");
