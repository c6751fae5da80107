import { rootCertificates } from "node:tls";

import { EnvHttpProxyAgent, request } from "undici";

import { authoritiesFor } from "../../infra/authorities.ts";
import type { Environment } from "../../lib/engine/pulumi.ts";

/** An answer over HTTP. */
export interface Answer {
  status: number;
  /** The time of the server's clock, if it says so. */
  date: Date | undefined;
  text: string;
  /** How the server asks for credentials, if it does. */
  challenge?: string | undefined;
}

/** How long a server may take to answer, in milliseconds. */
const answerTimeout = 8000;

/** The Internet as the stack reaches it, through its proxy. In the lab it is the simulated one. */
export class Internet {
  private constructor(private readonly agent: EnvHttpProxyAgent) {}

  static async of(environment: Environment): Promise<Internet> {
    const env = { ...process.env, ...environment };
    const authorities = await authoritiesFor(env);
    const ca = authorities === undefined ? undefined : [...rootCertificates, authorities];
    return new Internet(
      new EnvHttpProxyAgent({
        httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? "",
        httpProxy: env.http_proxy ?? env.HTTP_PROXY ?? "",
        noProxy: env.no_proxy ?? env.NO_PROXY ?? "",
        ...(ca && { connect: { ca }, requestTls: { ca } }),
        headersTimeout: answerTimeout,
        bodyTimeout: answerTimeout,
      }),
    );
  }

  async ask(
    url: string,
    {
      method = "GET",
      headers = {},
      body,
    }: { method?: "GET" | "HEAD" | "PATCH" | "POST"; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> {
    const answer = await request(url, {
      method,
      headers,
      dispatcher: this.agent,
      signal: AbortSignal.timeout(answerTimeout),
      ...(body !== undefined && { body }),
    });
    const date = Date.parse(String(answer.headers.date));
    return {
      status: answer.statusCode,
      date: Number.isNaN(date) ? undefined : new Date(date),
      text: await answer.body.text(),
      challenge: answer.headers["www-authenticate"]?.toString(),
    };
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }
}
