import { Problem } from "../../toolchain/problem.ts";

/** A new app. */
export interface NewApp {
  /** Name of its folder, its namespace and its objects. */
  name: string;
  /** Image with tag and digest. */
  image: string;
  /** Port that its container listens on. */
  port: number;
  /** ID of the user that it runs as. */
  user: number;
  /** Host name before the cluster's domain of apps. */
  host: string;
  /** Whether only people who have signed in reach it. */
  signOn: boolean;
  /** A volume that is backed up; undefined for none. */
  volume?: Volume | undefined;
  /** Whether it has a Postgres database, which is backed up. */
  hasDatabase: boolean;
  /** Names of the variables that it gets from a Secret of its environment. */
  secrets: readonly string[];
}

/** A volume of an app. */
export interface Volume {
  /** Where the container has it. */
  path: string;
  /** @example "5Gi" */
  size: string;
  /** The last day on which it may begin empty. @example "2027-01-31" */
  emptyUntil: string;
}

/** The variable of environment.sops.yaml with the password of an app's backups. */
export const backupPassword = (name: string): string => `restic_password_${name.replaceAll("-", "_")}`;

/** The files of a new app, by their paths. It runs as the level `restricted` wants, and only gateways reach it. */
export const appFiles = (app: NewApp): Record<string, string> => {
  const { name, host } = app;
  const folder = `gitops/apps/${name}`;
  return {
    [`${folder}/flux.yaml`]: fluxFile(app, folder),
    [`${folder}/app/kustomization.yaml`]: kustomizationFile(app),
    [`${folder}/app/namespace.yaml`]: `apiVersion: v1
kind: Namespace
metadata:
  name: ${name}
  annotations:
    kustomize.toolkit.fluxcd.io/prune: disabled
  labels:
    pod-security.kubernetes.io/enforce: restricted
`,
    [`${folder}/app/deployment.yaml`]: deploymentFile(app),
    [`${folder}/app/service.yaml`]: `apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector: { app.kubernetes.io/name: ${name} }
  ports:
    - { name: http, port: 80, targetPort: http }
`,
    [`${folder}/app/route.yaml`]: `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: ${name}
spec:
  parentRefs:
    - { name: internal, namespace: gateways, sectionName: https }
  hostnames: ["${host}.\${apps_domain}"]
  rules:
    - backendRefs:
        - { name: ${name}, port: 80 }
`,
    [`${folder}/app/networkpolicy.yaml`]: policyFile(app),
  };
};

const fluxFile = ({ name, user, signOn, volume, hasDatabase, secrets }: NewApp, folder: string): string => {
  const needs = [
    "gateways",
    ...(signOn ? ["oauth2-proxy"] : []),
    ...(hasDatabase ? ["cloudnative-pg"] : []),
    ...(volume ? ["volsync"] : []),
    ...(volume || hasDatabase ? ["rook-ceph-drivers"] : []),
  ];
  const components = [
    ...(secrets.length > 0 ? [`    - ../../../../\${cluster_folder}/secrets/${name}\n`] : []),
    ...(signOn ? ["    - ../../../components/sso-route\n"] : []),
    ...(volume ? ["    - ../../../components/volsync\n"] : []),
    ...(hasDatabase
      ? [
          "    - ../../../components/postgres\n",
          "    # The database starts empty. Remove this line once there is a backup.\n",
          "    - ../../../components/postgres/first\n",
        ]
      : []),
  ].join("");
  const variables = [
    ...(volume
      ? [
          `      volume_size: ${volume.size}\n      volume_user: "${user.toString()}"\n`,
          `      # Until then the volume may begin empty. Remove this line once there is a backup.\n`,
          `      empty_until: "${volume.emptyUntil}"\n`,
        ]
      : []),
  ].join("");
  return `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: ${name}
spec:
  dependsOn:
${needs.map((each) => `    - name: ${each}\n`).join("")}  path: ./${folder}/app
${components === "" ? "" : `  components:\n${components}`}${
    volume || hasDatabase ? `  postBuild:\n    substitute:\n      app: ${name}\n${variables}` : ""
  }${hasDatabase ? databaseHealth : ""}`;
};

/** The database is Ready once its operator says so. */
const databaseHealth = `  healthCheckExprs:
    - apiVersion: postgresql.cnpg.io/v1
      kind: Cluster
      current: has(status.conditions) && status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')
`;

const kustomizationFile = ({ name, volume }: NewApp): string => `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: ${name}
resources:
  - namespace.yaml
  - deployment.yaml
  - service.yaml
  - route.yaml
  - networkpolicy.yaml
${
  volume
    ? `patches:
  # The password of this app's backups, from the cluster's environment.sops.yaml.
  - target: { kind: Secret, name: .*-volume-backup }
    patch: |
      - { op: replace, path: /stringData/RESTIC_PASSWORD, value: "\${${backupPassword(name)}}" }
`
    : ""
}`;

const deploymentFile = ({ name, image, port, user, volume, hasDatabase, secrets }: NewApp): string => {
  const repository = image.replace(/@.*$/, "").replace(/:[^:/]+$/, "");
  const id = user.toString();
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
${
  secrets.length > 0
    ? `  annotations:
    # Its pods restart when its Secret changes.
    reloader.stakater.com/auto: "true"
`
    : ""
}spec:
${volume ? "  # One pod at a time has the volume.\n  strategy: { type: Recreate }\n" : ""}  selector:
    matchLabels: { app.kubernetes.io/name: ${name} }
  template:
    metadata:
      labels: { app.kubernetes.io/name: ${name} }
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext:
        runAsNonRoot: true
        runAsUser: ${id}
        runAsGroup: ${id}
${volume ? `        fsGroup: ${id}\n        fsGroupChangePolicy: OnRootMismatch\n` : ""}        seccompProfile: { type: RuntimeDefault }
      containers:
        - name: ${name}
          # renovate: datasource=docker depName=${repository}
          image: ${image}
${
  hasDatabase
    ? `          env:
            - name: DATABASE_URL
              valueFrom: { secretKeyRef: { name: ${name}-postgres-app, key: uri } }
`
    : ""
}${secrets.length > 0 ? `          envFrom:\n            - secretRef: { name: ${name} }\n` : ""}          ports:
            - { name: http, containerPort: ${port.toString()} }
          readinessProbe:
            tcpSocket: { port: http }
          resources:
            requests: { cpu: 10m, memory: 64Mi }
            limits: { memory: 256Mi }
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: { drop: [ALL] }
          volumeMounts:
${volume ? `            - { name: data, mountPath: ${volume.path} }\n` : ""}            - { name: tmp, mountPath: /tmp }
      volumes:
${volume ? `        - name: data\n          persistentVolumeClaim: { claimName: ${name} }\n` : ""}        - name: tmp
          emptyDir: { sizeLimit: 64Mi }
`;
};

const policyFile = ({
  name,
  port,
  hasDatabase,
}: NewApp): string => `# Lets the gateway in, and out to nobody but DNS${hasDatabase ? " and the database" : ""}.
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: ${name}
spec:
  endpointSelector: {}
  ingress:
    - fromEntities: [ingress]
      toPorts:
        - ports: [{ port: "${port.toString()}", protocol: TCP }]
    # Probes come from the machine.
    - fromEntities: [host]
  egress:
    - toEndpoints:
        - matchLabels: { io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns }
      toPorts:
        - ports: [{ port: "53", protocol: ANY }]
${
  hasDatabase
    ? `    - toEndpoints:
        - matchLabels: { cnpg.io/cluster: ${name}-postgres }
      toPorts:
        - ports: [{ port: "5432", protocol: TCP }]
`
    : ""
}`;

/** What leads Flux to the app's Secret in an environment. */
export const secretComponent = (name: string): string => `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
  - ${name}.sops.yaml
`;

/** A cluster's list with the app at its end, turned off unless it is wanted there. */
export const withApp = (kustomization: string, name: string, isOn: boolean): string =>
  afterLast(
    kustomization,
    /^ {2}(# )?- \.\.\/\.\.\/apps\/\S+\n/gm,
    `  ${isOn ? "" : "# "}- ../../apps/${name}/flux.yaml\n`,
    "the cluster's kustomization.yaml lists no app",
  );

/** The grants of single sign-on, with the app's namespace. */
export const withGrant = (grants: string, name: string): string =>
  afterLast(
    grants,
    /^ +- \{ group: gateway\.networking\.k8s\.io, kind: HTTPRoute, namespace: \S+ \}\n/gm,
    `    - { group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: ${name} }\n`,
    "security/oauth2-proxy/app/grants.yaml grants nothing to a route",
  );

/** The realm, with the app's callback. */
export const withCallback = (realm: string, host: string): string =>
  afterLast(
    realm,
    /^ +- https:\/\/\S+\/oauth2\/callback\n/gm,
    `      - https://${host}.\${apps_domain}/oauth2/callback\n`,
    "security/keycloak/config/realm.yaml has no callback of single sign-on",
  );

const afterLast = (text: string, pattern: RegExp, line: string, otherwise: string): string => {
  const last = [...text.matchAll(pattern)].at(-1);
  if (last === undefined)
    throw new Problem(`${otherwise}, so it is not known where the new line goes: write it by hand`);
  const end = last.index + last[0].length;
  return text.slice(0, end) + line + text.slice(end);
};
