import { EnvHttpProxyAgent, interceptors, request, type Dispatcher } from "undici";

/** How long to wait, in milliseconds. */
export interface Timeouts {
  /** Until a connection stands. */
  connect: number;
  /** Until an answer begins. */
  headers: number;
  /** Between two pieces of an answer. */
  body: number;
}

const defaults: Timeouts = { connect: 5_000, headers: 20_000, body: 30_000 };

export type Answer = Dispatcher.ResponseData;

/** Asks vendors' servers, through the proxies that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name, and follows redirects. */
export class Web {
  private readonly agent: EnvHttpProxyAgent;
  private readonly dispatcher: Dispatcher;

  constructor(env: NodeJS.ProcessEnv = process.env, timeouts: Partial<Timeouts> = {}) {
    const { connect, headers, body } = { ...defaults, ...timeouts };
    const proxy = (name: string): string | undefined => env[name.toLowerCase()] ?? env[name];
    this.agent = new EnvHttpProxyAgent({
      // An empty string, not undefined: that would have undici look at this process's own environment.
      httpProxy: proxy("HTTP_PROXY") ?? "",
      httpsProxy: proxy("HTTPS_PROXY") ?? "",
      noProxy: proxy("NO_PROXY") ?? "",
      connect: { timeout: connect },
      headersTimeout: headers,
      bodyTimeout: body,
    });
    this.dispatcher = this.agent.compose(interceptors.redirect({ maxRedirections: 5 }));
  }

  /** Sends a request. An answer of any status is one; only a server that gives none throws. */
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

  /** Ends the connections that are kept. */
  close(): Promise<void> {
    return this.agent.destroy();
  }
}

/** Takes an answer that is not wanted off its connection. */
export const discard = async (answer: Answer): Promise<void> => {
  await answer.body.dump().catch(() => undefined);
};

/** What went wrong between here and a server, in a few words. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (error.name === "TimeoutError" || code.includes("TIMEOUT")) return "no answer in time";
  return code === "" ? error.message : code;
};
