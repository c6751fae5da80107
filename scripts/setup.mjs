// Prepares a fresh clone and then runs a TypeScript file of the project: `node scripts/setup.mjs [FILE ARGUMENTS…]`.
// It has no dependencies, and old Node.js versions have to be able to parse it, so that it can ask for a newer one.
import { spawn, spawnSync } from "child_process";
import { existsSync, readFileSync } from "fs";
import { dirname, join } from "path";
import { fileURLToPath } from "url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

function fail(message) {
  console.error(message);
  process.exit(1);
}

function checkNode() {
  const version = process.versions.node.split(".").map(Number);
  if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
    fail(
      "Hearth needs Node.js 20.19 or later; this is " + process.version + ". Install a current one from nodejs.org.",
    );
  }
}

function packagesOf(file) {
  return JSON.parse(readFileSync(join(root, file), "utf8")).packages;
}

/** Whether node_modules matches package-lock.json. npm writes its hidden lock file last. */
function isInstalled() {
  if (!existsSync(join(root, "node_modules", ".package-lock.json"))) return false;
  const installed = packagesOf("node_modules/.package-lock.json");
  const wanted = packagesOf("package-lock.json");
  return Object.keys(wanted).every(function (path) {
    if (path === "" || wanted[path].link) return true;
    if (!installed[path]) return wanted[path].optional === true || wanted[path].peer === true;
    return installed[path].integrity === wanted[path].integrity;
  });
}

function install() {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000) + " s";
  const isTerminal = process.stderr.isTTY;
  const show = (text) => process.stderr.write(isTerminal ? "\r" + text : text + "\n");
  show("Installing npm packages …");
  const timer = isTerminal ? setInterval(() => show("Installing npm packages … " + seconds()), 1000) : undefined;
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
  const child = spawn(npm[0], npm.slice(1).concat(["ci", "--loglevel=error"]), { cwd: root });
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (output += data));
  return new Promise((resolve) => {
    child.on("error", (error) => fail("Could not start npm: " + error.message));
    child.on("close", (code) => {
      if (timer) clearInterval(timer);
      if (code !== 0) {
        fail((isTerminal ? "\n" : "") + "npm ci failed:\n" + output.trim().split("\n").slice(-10).join("\n"));
      }
      show("Installed npm packages in " + seconds() + (isTerminal ? "\n" : ""));
      resolve();
    });
  });
}

/** The Node.js that the project pins as an npm package, or the running one if the pinned one does not start. */
function projectNode() {
  const pinned = join(root, "node_modules", ".bin", "node");
  return existsSync(pinned) && spawnSync(pinned, ["--version"]).status === 0 ? pinned : process.execPath;
}

function run(file, args) {
  // Caches compiled code for the next run, in this process and in every program that it starts.
  const env = Object.assign({ NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "node") }, process.env);
  const child = spawn(projectNode(), [join(root, "toolchain", "run.mjs"), file].concat(args), {
    cwd: root,
    env,
    stdio: "inherit",
  });
  // The terminal sends Ctrl-C to the child too. This process waits until the child has cleaned up.
  process.on("SIGINT", () => {});
  ["SIGTERM", "SIGHUP"].forEach((signal) => process.on(signal, () => child.kill(signal)));
  child.on("close", (code, signal) => process.exit(signal ? 1 : code));
}

checkNode();
(isInstalled() ? Promise.resolve() : install()).then(() => {
  if (process.argv.length > 2) run(process.argv[2], process.argv.slice(3));
});
