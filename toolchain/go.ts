import { execa } from "execa";
import { join } from "node:path";
import semver from "semver";
import { codeOf, Problem } from "./problem.ts";

/** The Go on PATH. */
export interface Go {
  /** For example `go1.26.8`. */
  version: string;
  /** As `GOOS/GOARCH`. */
  platform: string;
}

/** Variables that `go` runs with. */
export type GoEnvironment = Readonly<Record<string, string>>;

/**
 * What every use of Go runs with: the same result everywhere, no C compiler, no other Go than the one that was found.
 *
 * Profiles make every program compile all that it imports anew, and nobody debugs these programs: see
 * docs/decisions/0050.
 */
export const goEnvironment: GoEnvironment = {
  CGO_ENABLED: "0",
  GOFLAGS: "-trimpath -buildvcs=false -mod=readonly -modcacherw -pgo=off -gcflags=all=-dwarf=false",
  GOTOOLCHAIN: "local",
  GOWORK: "off",
};

/** The environment of builds, whose caches lie in a folder of Hearth's own, so that they can be given back. */
export const buildEnvironment = (folder: string): GoEnvironment => ({
  ...goEnvironment,
  GOCACHE: join(folder, "build"),
  GOMODCACHE: join(folder, "modules"),
});

/** What builds run with beside that. It changes how fast they are, not what they yield: a sixth less processor time, for more memory. */
export const compilerEnvironment: GoEnvironment = { GOGC: "400", GOMEMLIMIT: "3GiB" };

const where = "install it from go.dev/dl and put its bin folder on PATH";

/** Finds Go, or says that it is missing. */
export const findGo = async (env: NodeJS.ProcessEnv = process.env): Promise<Go> => {
  try {
    const names = ["GOVERSION", "GOOS", "GOARCH"];
    const { stdout } = await execa("go", ["env", "-json", ...names], {
      env: { ...env, ...goEnvironment },
      extendEnv: false,
    });
    const found = JSON.parse(stdout) as Record<string, string>;
    return {
      version: found.GOVERSION ?? "",
      platform: `${found.GOOS ?? ""}/${found.GOARCH ?? ""}`,
    };
  } catch (error) {
    if (codeOf(error) === "ENOENT") throw new Problem(`Go is missing, and Hearth builds its tools with it: ${where}`);
    throw error;
  }
};

/** Refuses a Go that is older than what is to be built asks for. */
export const requireGo = (go: Go, atLeast: string): void => {
  const found = semver.coerce(go.version.replace(/^go/, ""));
  if (found === null || semver.lt(found, atLeast)) {
    throw new Problem(`Hearth builds its tools with Go ${atLeast} or later, and PATH has ${go.version}: ${where}`);
  }
};
