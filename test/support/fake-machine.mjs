#!/usr/bin/env node
// Stands in for `hearth-lab machine` in tests of its process only. It listens like a Talos API until it is ended. If
// the lab's folder has a file "guest-agent", its image has the QEMU guest agent.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createServer } from "node:tls";

const option = (name) => process.argv[process.argv.indexOf(name) + 1];
const { dir } = JSON.parse(readFileSync(option("--config"), "utf8"));
const spec = JSON.parse(readFileSync(option("--spec"), "utf8"));

const server = createServer({
  cert: readFileSync(join(dir, "ca", "ca.crt")),
  key: readFileSync(join(dir, "ca", "ca.key")),
});
server.on("tlsClientError", () => undefined);
server.listen(50000, spec.address, () => {
  const folder = dirname(option("--spec"));
  if (existsSync(join(dir, "guest-agent"))) {
    const interfaces = [{ name: "bond0" }, { name: "eth0", mac: spec.mac, addresses: [`${spec.address}/24`] }];
    writeFileSync(join(folder, "guest-agent.json"), JSON.stringify({ interfaces }));
  }
  writeFileSync(join(folder, "pid"), String(process.pid));
  console.log(`${spec.name} listens on ${spec.address}`);
});
process.on("SIGTERM", () => process.exit(0));
