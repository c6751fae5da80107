import type { RegistryCredentials } from "../../components/talos/documents/index.ts";
import { messageOf, Problem } from "../../toolchain/problem.ts";
import type { Answer } from "../doctor/internet.ts";

/** Sends a request to a registry. */
export type AskRegistry = (
  url: string,
  options?: { method?: "GET" | "POST"; headers?: Record<string, string>; body?: string },
) => Promise<Answer>;

/** Where a registry's API is. Source: containerd v2.1, core/remotes/docker/registry.go, DefaultHost. */
const hostOf = (registry: string): string => (registry === "docker.io" ? "registry-1.docker.io" : registry);

/**
 * Tries credentials as a pull does, up to the token that a pull would use. It pulls nothing, so which images they open is not proven.
 *
 * Source: distribution v3, docs/content/spec/auth/token.md and oauth.md; OCI distribution specification v1.1, "Endpoints", end-1.
 *
 * @param registry its name, as in an image
 * @returns what could not be proven, in sentences
 * @throws Problem if they are refused
 */
export const tryRegistry = async (
  ask: AskRegistry,
  registry: string,
  given: RegistryCredentials,
): Promise<string[]> => {
  if (registry === "*") return ["The credentials for * are not proven: they belong to no registry by name"];
  const send: AskRegistry = async (url, options) => {
    const answer = await ask(url, options).catch((error: unknown) => {
      throw new Silent(messageOf(error));
    });
    if (answer.status === 429 || answer.status >= 500)
      throw new Problem(`${registry} answers ${answer.status.toString()}: run this again when it is well`);
    return answer;
  };
  try {
    return await tryAnswering(send, registry, given);
  } catch (error) {
    if (!(error instanceof Silent)) throw error;
    return [`The credentials for ${registry} are not proven: it does not answer from here (${error.message})`];
  }
};

/** A registry that only machines may reach, or whose certificate only machines trust, cannot be asked from here. */
class Silent extends Error {}

const tryAnswering = async (send: AskRegistry, registry: string, given: RegistryCredentials): Promise<string[]> => {
  const api = `https://${hostOf(registry)}/v2/`;
  const { status, challenge = "" } = await send(api);
  if (status === 200) return [`The credentials for ${registry} are not proven: it answers without any`];
  const asked = challengeIn(challenge);
  if (status !== 401 || asked === undefined)
    throw new Problem(`${registry} answers ${status.toString()} and asks for no credentials: is it a registry?`);
  const authorization = await authorizationBy(send, { ...asked, registry, given });
  const { status: accepted } = await send(api, { headers: { authorization } });
  if (accepted !== 200) throw refused(registry);
  return [`That ${registry} takes the credentials is proven; which images they open is not`];
};

const refused = (registry: string): Problem =>
  new Problem(`${registry} refuses the new credentials: look whether they are whole, and whether they have expired`);

interface Challenge {
  scheme: string;
  realm: string;
  service: string;
}

/** How a registry asks for credentials. Source: RFC 9110, "WWW-Authenticate". */
export const challengeIn = (header: string): Challenge | undefined => {
  const scheme = /^\s*(basic|bearer)\s/i.exec(header)?.[1]?.toLowerCase();
  const parameter = (name: string) => new RegExp(`[\\s,]${name}="([^"]*)"`, "i").exec(header)?.[1] ?? "";
  return scheme === undefined ? undefined : { scheme, realm: parameter("realm"), service: parameter("service") };
};

const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;

const authorizationBy = async (
  send: AskRegistry,
  { scheme, realm, service, registry, given }: Challenge & { registry: string; given: RegistryCredentials },
): Promise<string> => {
  if (scheme === "basic") {
    if (!("identityToken" in given)) return basic(given.username, given.password);
    throw new Problem(`${registry} takes no identityToken: give it a username and a password`);
  }
  // Credentials go nowhere unencrypted, whatever the registry names.
  if (!realm.startsWith("https://"))
    throw new Problem(`${registry} issues its tokens over no HTTPS, so they are not asked for`);
  const url = new URL(realm);
  if (service !== "") url.searchParams.set("service", service);
  const { status, text } =
    "identityToken" in given
      ? await send(realm, {
          method: "POST",
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: new URLSearchParams({
            ...{ grant_type: "refresh_token", service, client_id: "hearth", refresh_token: given.identityToken },
          }).toString(),
        })
      : await send(url.href, { headers: { authorization: basic(given.username, given.password) } });
  const token = status === 200 ? tokenIn(text) : undefined;
  if (token === undefined) throw refused(registry);
  return `Bearer ${token}`;
};

const tokenIn = (text: string): string | undefined => {
  try {
    const { token, access_token: access } = JSON.parse(text) as { token?: string; access_token?: string };
    return token ?? access;
  } catch {
    return undefined;
  }
};
