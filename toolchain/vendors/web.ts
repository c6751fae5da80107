import { EnvHttpProxyAgent, interceptors, request, type Dispatcher } from "undici";

/** Timeouts in milliseconds. */
export interface Timeouts {
  /** For establishing a connection. */
  connect: number;
  /** For the beginning of an answer. */
  headers: number;
  /** Between two chunks of an answer. */
  body: number;
}

const defaults: Timeouts = { connect: 5_000, headers: 20_000, body: 30_000 };

export type Answer = Dispatcher.ResponseData;

/** An HTTP client that uses the proxies in HTTP_PROXY, HTTPS_PROXY and NO_PROXY, and follows redirects. */
export class Web {
  private readonly agent: EnvHttpProxyAgent;
  private readonly dispatcher: Dispatcher;

  constructor(env: NodeJS.ProcessEnv = process.env, timeouts: Partial<Timeouts> = {}) {
    const { connect, headers, body } = { ...defaults, ...timeouts };
    const proxy = (name: string): string | undefined => env[name.toLowerCase()] ?? env[name];
    this.agent = new EnvHttpProxyAgent({
      // An empty string disables a proxy. With undefined, undici would read this process's own environment.
      httpProxy: proxy("HTTP_PROXY") ?? "",
      httpsProxy: proxy("HTTPS_PROXY") ?? "",
      noProxy: proxy("NO_PROXY") ?? "",
      connect: { timeout: connect },
      headersTimeout: headers,
      bodyTimeout: body,
    });
    this.dispatcher = this.agent.compose(interceptors.redirect({ maxRedirections: 5 }));
  }

  /** Sends a request. It returns answers of any status, and throws only if the server does not answer. */
  ask(
    url: string,
    options: { method?: "GET" | "HEAD"; headers?: Record<string, string>; signal?: AbortSignal } = {},
  ): Promise<Answer> {
    const { method = "GET", headers = {}, signal } = options;
    return request(url, {
      method,
      headers: { "user-agent": "hearth", ...headers },
      dispatcher: this.dispatcher,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Closes all connections. */
  close(): Promise<void> {
    return this.agent.destroy();
  }
}

/** Discards the body of an answer, which frees its connection. */
export const discard = async (answer: Answer): Promise<void> => {
  await answer.body.dump().catch(() => undefined);
};

/** Describes the failure of a request in a few words. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (error.name === "TimeoutError" || code.includes("TIMEOUT")) return "no answer in time";
  return code === "" ? error.message : code;
};
