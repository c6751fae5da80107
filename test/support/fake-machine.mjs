#!/usr/bin/env node
// Stands in for `hearth-lab machine` in tests of its process only. It listens like a Talos API until it is ended. If
// the lab's folder has a file "configured", it asks for client certificates, like a machine that has left maintenance
// mode.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createServer } from "node:tls";

const option = (name) => process.argv[process.argv.indexOf(name) + 1];
const { dir } = JSON.parse(readFileSync(option("--config"), "utf8"));
const spec = JSON.parse(readFileSync(option("--spec"), "utf8"));

const server = createServer({
  cert: readFileSync(join(dir, "ca", "ca.crt")),
  key: readFileSync(join(dir, "ca", "ca.key")),
  requestCert: existsSync(join(dir, "configured")),
  rejectUnauthorized: false,
});
server.on("tlsClientError", () => undefined);
server.listen(50000, spec.address, () => {
  writeFileSync(join(dirname(option("--spec")), "pid"), String(process.pid));
  console.log(`${spec.name} listens on ${spec.address}`);
});
process.on("SIGTERM", () => process.exit(0));
