const server = /^([ \t]*server:[ \t]*)(\S+)/m;

/** The URL of the API that a kubeconfig leads to; undefined if it names none. */
export const serverOf = (kubeconfig: string): string | undefined => server.exec(kubeconfig)?.[2];

/**
 * A kubeconfig that leads to an endpoint.
 *
 * Talos writes the endpoint that it has at that time, and the provider does not ask again before the certificate expires.
 */
export const withServer = (kubeconfig: string, endpoint: string): string => {
  const now = serverOf(kubeconfig);
  return now === undefined || new URL(now).origin === new URL(endpoint).origin
    ? kubeconfig
    : kubeconfig.replace(server, (_, key: string) => `${key}${new URL(endpoint).origin}`);
};
