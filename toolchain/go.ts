import { execa } from "execa";
import semver from "semver";
import { codeOf, Problem } from "./problem.ts";

/** The Go on PATH. */
export interface Go {
  /** For example `go1.26.8`. */
  version: string;
  /** As `GOOS/GOARCH`. */
  platform: string;
  /** Folder of Go's build cache. */
  buildCache: string;
  /** Folder of Go's module cache. */
  moduleCache: string;
}

/** What every build runs with: the same result everywhere, no C compiler, no other Go than the one that was found. */
export const goEnvironment: Record<string, string> = {
  CGO_ENABLED: "0",
  GOFLAGS: "-trimpath -buildvcs=false -mod=readonly",
  GOTOOLCHAIN: "local",
  GOWORK: "off",
};

/** What builds run with beside that. It changes how fast they are, not what they yield: a sixth less processor time, for more memory. */
export const compilerEnvironment: Record<string, string> = { GOGC: "400", GOMEMLIMIT: "3GiB" };

const where = "install it from go.dev/dl and put its bin folder on PATH";

/** Finds Go, or says that it is missing. */
export const findGo = async (env: NodeJS.ProcessEnv = process.env): Promise<Go> => {
  try {
    const names = ["GOVERSION", "GOOS", "GOARCH", "GOCACHE", "GOMODCACHE"];
    const { stdout } = await execa("go", ["env", "-json", ...names], {
      env: { ...env, ...goEnvironment },
      extendEnv: false,
    });
    const found = JSON.parse(stdout) as Record<string, string>;
    return {
      version: found.GOVERSION ?? "",
      platform: `${found.GOOS ?? ""}/${found.GOARCH ?? ""}`,
      buildCache: found.GOCACHE ?? "",
      moduleCache: found.GOMODCACHE ?? "",
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
