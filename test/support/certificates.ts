import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { X509Certificate } from "node:crypto";

/** A certificate with its key, PEM. */
export interface Pair {
  certificate: string;
  key: string;
  /** SHA-256 as Proxmox shows it. */
  fingerprint: string;
}

/** An authority as Proxmox makes itself one, and what it signs. */
export interface Authority extends Pair {
  /** Signs a server's certificate. @param days that it is valid, from now; negative if it has expired @param address that it is for */
  sign: (days?: number, address?: string) => Pair;
}

const pair = (folder: string, name: string): Pair => {
  const [certificate, key] = ["crt", "key"].map((end) => readFileSync(join(folder, `${name}.${end}`), "utf8"));
  return {
    certificate: certificate ?? "",
    key: key ?? "",
    fingerprint: new X509Certificate(certificate ?? "").fingerprint256,
  };
};

/** Makes an authority by OpenSSL. @param days that it is valid, from now; negative if it has expired */
export const authority = (days = 3650): Authority => {
  const inFolder = <T>(work: (folder: string, openssl: (...args: string[]) => unknown) => T): T => {
    const folder = mkdtempSync(join(tmpdir(), "hearth-certificates-"));
    try {
      return work(folder, (...args) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" }));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const own = inFolder((folder, openssl) => {
    writeFileSync(join(folder, "ca.ext"), "basicConstraints=critical,CA:TRUE\n");
    const subject = "/CN=Proxmox Virtual Environment/O=PVE Cluster Manager CA";
    openssl("req", "-new", ...key, "-subj", subject, "-keyout", "ca.key", "-out", "ca.csr");
    // `req -x509` makes none that has expired.
    openssl(
      "x509",
      "-req",
      "-in",
      "ca.csr",
      "-signkey",
      "ca.key",
      ...validFor(days),
      "-extfile",
      "ca.ext",
      "-out",
      "ca.crt",
    );
    return pair(folder, "ca");
  });
  const sign = (valid = 730, address = "127.0.0.1"): Pair =>
    inFolder((folder, openssl) => {
      writeFileSync(join(folder, "ca.crt"), own.certificate);
      writeFileSync(join(folder, "ca.key"), own.key);
      writeFileSync(
        join(folder, "leaf.ext"),
        `basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=IP:${address}\n`,
      );
      openssl("req", "-new", ...key, "-subj", "/CN=pve1.example.com", "-keyout", "leaf.key", "-out", "leaf.csr");
      openssl(
        "x509",
        "-req",
        "-in",
        "leaf.csr",
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        ...validFor(valid),
        "-extfile",
        "leaf.ext",
        "-out",
        "leaf.crt",
      );
      return pair(folder, "leaf");
    });
  return { ...own, sign };
};

const validFor = (days: number): string[] => ["-days", days.toString()];

/** A server of Proxmox's API that answers every request with what it was sent. */
export interface Echo extends AsyncDisposable {
  endpoint: string;
  /** The authorization of each request. */
  tokens: string[];
}

/** Starts one that presents only its own certificate, as Proxmox does. */
export const echo = async ({ certificate: cert, key }: Pair): Promise<Echo> => {
  const tokens: string[] = [];
  const server = createServer({ cert, key }, ({ headers }, response) => {
    tokens.push(headers.authorization ?? "");
    response.end(JSON.stringify({ data: { version: "9.2.11" } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `https://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`,
    tokens,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
