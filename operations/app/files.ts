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
}

/** The files of a new app, by their paths. It runs as the level `restricted` wants, and only gateways reach it. */
export const appFiles = ({ name, image, port, user, host, signOn }: NewApp): Record<string, string> => {
  const folder = `gitops/apps/${name}`;
  const repository = image.replace(/@.*$/, "").replace(/:[^:/]+$/, "");
  return {
    [`${folder}/flux.yaml`]: `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: ${name}
spec:
  dependsOn:
    - name: gateways
${signOn ? "    - name: oauth2-proxy\n" : ""}  path: ./${folder}/app
${signOn ? "  components:\n    - ../../../components/sso-route\n" : ""}`,
    [`${folder}/app/kustomization.yaml`]: `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: ${name}
resources:
  - namespace.yaml
  - deployment.yaml
  - service.yaml
  - route.yaml
  - networkpolicy.yaml
`,
    [`${folder}/app/namespace.yaml`]: `apiVersion: v1
kind: Namespace
metadata:
  name: ${name}
  annotations:
    kustomize.toolkit.fluxcd.io/prune: disabled
  labels:
    pod-security.kubernetes.io/enforce: restricted
`,
    [`${folder}/app/deployment.yaml`]: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  selector:
    matchLabels: { app.kubernetes.io/name: ${name} }
  template:
    metadata:
      labels: { app.kubernetes.io/name: ${name} }
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext:
        runAsNonRoot: true
        runAsUser: ${user.toString()}
        runAsGroup: ${user.toString()}
        seccompProfile: { type: RuntimeDefault }
      containers:
        - name: ${name}
          # renovate: datasource=docker depName=${repository}
          image: ${image}
          ports:
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
            - { name: tmp, mountPath: /tmp }
      volumes:
        - name: tmp
          emptyDir: { sizeLimit: 64Mi }
`,
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
    [`${folder}/app/networkpolicy.yaml`]: `# Lets the gateway in, and out to nobody but DNS.
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
`,
  };
};

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
