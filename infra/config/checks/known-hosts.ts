import { isAbout, isWhole, knownHostName, knownHostsOf } from "../../../components/gitops/known-hosts.ts";
import type { ConfigurationProblem } from "../error.ts";
import { isLab } from "../lab.ts";
import type { Check } from "./check.ts";

/**
 * Flux trusts a server only by a line that names it, with its port unless that is 22.
 *
 * Source: golang.org/x/crypto v0.48.0, ssh/knownhosts/knownhosts.go: lines match host and port.
 */
const serverIsKnown: Check = ({ gitops, network }) => {
  if (gitops?.knownHosts === undefined || isLab(network)) return [];
  const path = ["gitops", "knownHosts"];
  if (!gitops.repository.startsWith("ssh:")) {
    return [
      {
        path,
        problem: "has no effect on a repository that is read over HTTPS",
        advice: "remove it, or write an ssh:// URL as repository",
        warning: true,
      },
    ];
  }
  const lines = knownHostsOf(gitops.knownHosts);
  const broken = lines.find((line) => !isWhole(line));
  if (broken) {
    const problem = `has no whole key in line ${broken.line}`;
    return [{ path, problem, advice: "write HOST TYPE KEY as ssh-keyscan prints it, in one line" }];
  }
  const name = knownHostName(gitops.repository);
  if (lines.some((line) => isAbout(line, name))) return [];
  const [, host = name, port] = /^\[(.+)\]:(\d+)$/.exec(name) ?? [];
  const scan = port === undefined ? `ssh-keyscan ${host}` : `ssh-keyscan -p ${port} ${host}`;
  const named = [...new Set(lines.map(({ hosts }) => hosts))].filter((hosts) => !hosts.startsWith("|"));
  return [
    {
      path,
      problem: `${named.length > 0 ? `is about ${named.join(", ")}, and` : "says"} nothing of ${name}, where the repository is`,
      advice: `add what ${scan} prints, compared with what its owner publishes`,
    },
  ];
};

/** GitHub, GitLab and Forgejo take one user only, git. A URL without a user leaves it to the client. */
const userIsGit: Check = ({ gitops, network }): ConfigurationProblem[] => {
  if (!gitops?.repository.startsWith("ssh:") || isLab(network) || new URL(gitops.repository).username !== "") return [];
  return [
    {
      path: ["gitops", "repository"],
      problem: `${gitops.repository} names no user, and Git servers know one only`,
      advice: `write ${gitops.repository.replace("ssh://", "ssh://git@")}`,
      warning: true,
    },
  ];
};

/** Flux reads the folder below the repository's root. */
const pathIsBelowRoot: Check = ({ gitops }) =>
  gitops && /^\/|(^|\/)\.\.(\/|$)/.test(gitops.path)
    ? [
        {
          path: ["gitops", "path"],
          problem: `${gitops.path} is not below the root of the repository`,
          advice: "write it from the root on and without .., such as gitops/clusters/dev",
        },
      ]
    : [];

/** Source: git-check-ref-format(1). */
const branchIsName: Check = ({ gitops }) =>
  gitops && /[\s~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|[/.]$|\.lock$|^refs\//.test(gitops.branch)
    ? [
        {
          path: ["gitops", "branch"],
          problem: `${gitops.branch} is not the name of a branch`,
          advice: "write it as git branch shows it, such as main",
        },
      ]
    : [];

export const knownHostChecks: Check[] = [serverIsKnown, userIsGit, pathIsBelowRoot, branchIsName];
