/** Where a value of the tree's secrets comes from. */
export type Source =
  /** Drawn at random. */
  | { kind: "drawn" }
  /** No secret, such as a user's name: what the example has is as good as any. */
  | { kind: "kept" }
  /** The same as another value. */
  | { kind: "same"; file: string; key: string }
  /** Only the person knows it. */
  | { kind: "asked"; what: string };

const drawn: Source = { kind: "drawn" };
const kept: Source = { kind: "kept" };
const asked = (what: string): Source => ({ kind: "asked", what });
const same = (file: string, key: string): Source => ({ kind: "same", file, key });

const clients = "secrets/keycloak-realm/keycloak-clients.sops.yaml";
const issuers = "secrets/cert-manager-issuers/cloudflare.sops.yaml";

/**
 * Sources of the values that the tree comes with, by file below the environment's folder, and key. `*` at the end of a key stands for
 * anything. docs/guides/secrets.md tells of each what it is for.
 */
export const sources: Readonly<Record<string, Readonly<Record<string, Source>>>> = {
  "environment.sops.yaml": {
    secret_ways_message: kept,
    backup_s3_endpoint: asked("Endpoint of the S3 service for backups, such as https://s3.example.com"),
    backup_s3_region: asked("Region of the bucket for backups"),
    backup_s3_bucket: asked("Name of the bucket for backups"),
    backup_etcd_access_key: asked("Access key for etcd's backups"),
    backup_etcd_secret_key: asked("Secret key for etcd's backups"),
    backup_volumes_access_key: asked("Access key for the volumes' backups"),
    backup_volumes_secret_key: asked("Secret key for the volumes' backups"),
    backup_databases_access_key: asked("Access key for the databases' backups"),
    backup_databases_secret_key: asked("Secret key for the databases' backups"),
    "restic_password_*": drawn,
  },
  [issuers]: { token: asked("Token of Cloudflare for certificates and records, with DNS: Edit and Zone: Read") },
  "secrets/external-dns/cloudflare.sops.yaml": { token: same(issuers, "token") },
  "secrets/external-secrets-stores/example.sops.yaml": { message: kept },
  [clients]: { OAUTH2_PROXY_SECRET: drawn, GRAFANA_SECRET: drawn },
  "secrets/keycloak/keycloak-admin.sops.yaml": {
    KC_BOOTSTRAP_ADMIN_USERNAME: kept,
    KC_BOOTSTRAP_ADMIN_PASSWORD: drawn,
  },
  "secrets/dead-mans-switch/dead-mans-switch.sops.yaml": {
    url: asked("URL that is called each minute while alerts arrive, such as that of a check at healthchecks.io"),
  },
  "secrets/commit-status/commit-status.sops.yaml": {
    token: asked("Token of GitHub that may write commit statuses of the repository, and nothing else"),
  },
  "secrets/kube-prometheus-stack-config/alertmanager.sops.yaml": {
    "discord-webhook": asked("URL of the Discord webhook for alerts"),
  },
  "secrets/kube-prometheus-stack/grafana.sops.yaml": {
    "admin-user": kept,
    "admin-password": drawn,
    GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET: same(clients, "GRAFANA_SECRET"),
  },
  "secrets/linkding/linkding.sops.yaml": { LD_SUPERUSER_NAME: kept, LD_SUPERUSER_PASSWORD: drawn },
  "secrets/matrix-alertmanager/matrix-alertmanager.sops.yaml": {
    MATRIX_HOMESERVER: asked("URL of the Matrix homeserver for alerts, such as https://matrix.example.com"),
    MATRIX_USER: asked("Matrix user that sends alerts, such as @alerts:example.com"),
    MATRIX_TOKEN: asked("Access token of that Matrix user"),
    MATRIX_ROOM: asked("ID of the Matrix room for alerts, such as !room:example.com"),
  },
  "secrets/oauth2-proxy/oauth2-proxy.sops.yaml": {
    OAUTH2_PROXY_CLIENT_ID: kept,
    OAUTH2_PROXY_CLIENT_SECRET: same(clients, "OAUTH2_PROXY_SECRET"),
    // 32 bytes in URL-safe base64: any other form is no AES key to it.
    // Source: oauth2-proxy v7.15.3, pkg/encryption/utils.go, SecretBytes.
    OAUTH2_PROXY_COOKIE_SECRET: drawn,
  },
  "secrets/smtp-relay/smtp-relay.sops.yaml": {
    SMTP_USERNAME: asked("User at the provider that takes mail of apps"),
    SMTP_PASSWORD: asked("Password of that user"),
  },
  "secrets/secret-ways/secret-ways.sops.yaml": { "*": kept },
  "secrets/truenas/truenas.sops.yaml": { apiKey: asked("Key of TrueNAS's API, made for this cluster only") },
  "secrets/welcome/welcome.sops.yaml": { message: kept },
};

/**
 * The source of a value. A secret of the person's own is asked for.
 *
 * @param file below the environment's folder
 */
export const sourceOf = (file: string, key: string): Source => {
  const known = Object.entries(sources[file] ?? {}).find(([name]) =>
    name.endsWith("*") ? key.startsWith(name.slice(0, -1)) : name === key,
  );
  return known?.[1] ?? asked(`${key} of ${file}`);
};
