import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { crc32, gzipSync } from "node:zlib";
import { Header } from "tar";

export const sha256 = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");

/** How a file is served. */
export interface Served {
  content: Buffer;
  /** How many of the first answers end in the middle. */
  cuts?: number;
  /** Whether range requests are supported. Default: true. */
  ranges?: boolean;
  /** Statuses that the first requests get instead of the file. */
  statuses?: number[];
  /** Whether the server never answers. */
  silent?: boolean;
  /** Where requests are redirected. */
  redirect?: string;
  /** The token that a request needs. */
  token?: string;
  /** Whether the connection is cut off instead of an answer. */
  dropped?: boolean;
  /** Whether a registry says the digest of a manifest. Default: true. */
  saysDigest?: boolean;
}

/** Stands in for the vendors' servers on 127.0.0.1: serves files, with faults on the way, and images of a registry. */
export class VendorServer implements AsyncDisposable {
  readonly requests: { method: string; path: string; headers: IncomingMessage["headers"] }[] = [];
  private readonly files = new Map<string, Served>();
  private readonly server: Server = createServer((request, response) => {
    this.answer(request, response);
  });

  static async start(): Promise<VendorServer> {
    const vendor = new VendorServer();
    vendor.server.listen(0, "127.0.0.1");
    await once(vendor.server, "listening");
    return vendor;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port.toString()}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** Serves a file and returns its URL. */
  serve(path: string, content: Buffer | string, how: Omit<Served, "content"> = {}): string {
    this.files.set(path, { content: Buffer.from(content), ...how });
    return `${this.url}${path}`;
  }

  /**
   * Serves an image to clients that first ask for a token. `layers` begins with the lowest. Returns the image's digest.
   */
  serveImage(
    name: string,
    layers: Buffer[],
    how: { blobs?: VendorServer; architecture?: string | string[]; tag?: string } = {},
  ): string {
    const token = `token-of-${name}`;
    const descriptors = layers.map((layer) => {
      const digest = `sha256:${sha256(layer)}`;
      const blob = `/v2/${name}/blobs/${digest}`;
      const elsewhere = how.blobs?.serve(`/storage/${digest}`, layer);
      this.serve(blob, layer, { token, ...(elsewhere === undefined ? {} : { redirect: elsewhere }) });
      return { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest, size: layer.length };
    });
    const manifest = this.serveManifest(name, token, { schemaVersion: 2, layers: descriptors });
    const index = this.serveManifest(name, token, {
      schemaVersion: 2,
      manifests: [
        { ...manifest, digest: `sha256:${"0".repeat(64)}`, platform: { os: "linux", architecture: "riscv64" } },
        ...[how.architecture ?? "amd64"].flat().map((architecture) => ({
          ...manifest,
          platform: { os: "linux", architecture },
        })),
      ],
    });
    if (how.tag !== undefined) {
      this.serve(
        `/v2/${name}/manifests/${how.tag}`,
        this.files.get(`/v2/${name}/manifests/${index.digest}`)?.content ?? "",
        {
          token,
        },
      );
    }
    this.serve("/token", JSON.stringify({ token }));
    return index.digest.replace("sha256:", "");
  }

  /** Serves what a tag refers to, to clients that first ask for a token. Returns its digest, `sha256:…`. */
  serveTag(image: string, content: string, how: Omit<Served, "content"> = {}): string {
    const [name = "", tag = ""] = image.split(":");
    this.serve(`/v2/${name}/manifests/${tag}`, content, { token: "anonymous", ...how });
    this.serve("/token", JSON.stringify({ token: "anonymous" }));
    return `sha256:${sha256(content)}`;
  }

  /** Serves a chart's archive as a registry does, to clients that first ask for a token. Returns its repository. */
  serveChart(name: string, tag: string, archive: Buffer, how: Omit<Served, "content"> = {}): string {
    const token = "anonymous";
    const digest = `sha256:${sha256(archive)}`;
    this.serve(`/v2/${name}/blobs/${digest}`, archive, { token, ...how });
    const layer = (mediaType: string, size: number, of: string) => ({ mediaType, size, digest: of });
    const manifest = {
      schemaVersion: 2,
      layers: [
        layer("application/vnd.cncf.helm.chart.provenance.v1.prov", 2, `sha256:${sha256("{}")}`),
        layer("application/vnd.cncf.helm.chart.content.v1.tar+gzip", archive.length, digest),
      ],
    };
    this.serve(`/v2/${name}/manifests/${tag}`, JSON.stringify(manifest), { token });
    this.serve("/token", JSON.stringify({ token }));
    return `oci://${this.host}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  private serveManifest(name: string, token: string, document: object) {
    const content = JSON.stringify(document);
    const digest = `sha256:${sha256(content)}`;
    this.serve(`/v2/${name}/manifests/${digest}`, content, { token });
    return { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size: content.length };
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? "").replace(/\?.*/, "");
    this.requests.push({ method: request.method ?? "", path, headers: request.headers });
    const file = this.files.get(path);
    if (file?.silent === true) return;
    if (file === undefined) return void response.writeHead(404).end("no such file");
    if (file.dropped === true) return void response.destroy();
    const isManifest = path.includes("/manifests/");
    const status = request.method === "GET" || isManifest ? file.statuses?.shift() : undefined;
    if (status !== undefined) return void response.writeHead(status).end("not now");
    if (file.token !== undefined && request.headers.authorization !== `Bearer ${file.token}`) {
      const challenge = `Bearer realm="${this.url}/token",service="here",scope="repository:${path}:pull"`;
      return void response.writeHead(401, { "www-authenticate": challenge }).end();
    }
    if (file.redirect !== undefined) return void response.writeHead(302, { location: file.redirect }).end();
    this.send(file, request, response);
  }

  private send(file: Served, request: IncomingMessage, response: ServerResponse): void {
    const { content } = file;
    const range = file.ranges === false ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    const from = Number(range ?? 0);
    const total = content.length.toString();
    if (range !== undefined && from >= content.length) {
      return void response.writeHead(416, { "content-range": `bytes */${total}` }).end();
    }
    const rest = content.subarray(from);
    const isManifest = (request.url ?? "").includes("/manifests/") && file.saysDigest !== false;
    const header = {
      "content-length": rest.length,
      ...(isManifest && { "docker-content-digest": `sha256:${sha256(content)}` }),
    };
    const end = (content.length - 1).toString();
    if (range === undefined) response.writeHead(200, header);
    else response.writeHead(206, { ...header, "content-range": `bytes ${from.toString()}-${end}/${total}` });
    if (request.method === "HEAD") return void response.end();
    if ((file.cuts ?? 0) > 0) {
      file.cuts = (file.cuts ?? 0) - 1;
      response.write(rest.subarray(0, Math.ceil(rest.length / 2)), () => setTimeout(() => response.destroy(), 20));
    } else response.end(rest);
  }
}

/** A forward proxy on 127.0.0.1 that counts its connections. */
export class ForwardProxy implements AsyncDisposable {
  passed = 0;
  private readonly server = createServer();
  private readonly sockets = new Set<Socket>();

  static async start(): Promise<ForwardProxy> {
    const proxy = new ForwardProxy();
    proxy.server.on("connect", (request: IncomingMessage, client: Socket) => {
      proxy.passed += 1;
      const { hostname, port } = new URL(`http://${request.url ?? ""}`);
      const upstream = connect(Number(port), hostname, () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        upstream.pipe(client);
        client.pipe(upstream);
      });
      for (const socket of [upstream, client]) proxy.sockets.add(socket.on("error", () => socket.destroy()));
    });
    proxy.server.listen(0, "127.0.0.1");
    await once(proxy.server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port.toString()}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, "close");
  }
}

/** An entry of a tar archive, which may be malicious. */
export interface TarEntry {
  path: string;
  content?: string;
  type?: "File" | "SymbolicLink" | "Directory";
  linkpath?: string;
}

export const tarGz = (entries: TarEntry[]): Buffer => {
  const blocks = entries.flatMap(({ path, content = "", type = "File", linkpath }) => {
    const header = new Header({
      path,
      type,
      size: content.length,
      mode: 0o755,
      ...(linkpath === undefined ? {} : { linkpath }),
    });
    header.encode();
    const padded = Buffer.alloc(Math.ceil(content.length / 512) * 512);
    padded.write(content);
    return [header.block ?? Buffer.alloc(0), padded];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
};

/** A zip archive with one uncompressed file. */
export const zip = (path: string, text: string): Buffer => {
  const name = Buffer.from(path);
  const content = Buffer.from(text);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(content.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, name, content]);
  const central = Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), common, Buffer.alloc(14), name]);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
};
