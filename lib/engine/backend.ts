/**
 * A backend's URL without what opens it: Pulumi takes a password or a key in the URL of some backends.
 * Source: pulumi 3.259.0, pkg/backend/diy: PostgreSQL's user and password; gocloud.dev's query parameters.
 */
export const withoutCredentials = (url: string): string => {
  const [address = "", query] = url.split("?");
  const kept = (query ?? "")
    .split("&")
    .filter((each) => each !== "" && !/^[^=]*(pass|secret|token|key|sig)[^=]*=/i.test(each));
  return [address.replace(/^(\w+:\/\/)[^/@]*@/, "$1"), ...(kept.length > 0 ? [kept.join("&")] : [])].join("?");
};
