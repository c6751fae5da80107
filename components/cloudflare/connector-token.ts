/** The token that a connector authenticates with, in the form in which Cloudflare's API returns it. */
export const connectorToken = (account: string, tunnel: string, secret: string): string =>
  Buffer.from(JSON.stringify({ a: account, t: tunnel, s: secret })).toString("base64");
