import { resourceTypes } from "../../components/resource-types.ts";
import { hosted } from "../../components/gitops/repository.ts";
import { receiver } from "../../components/gitops/webhook.ts";
import { kubernetesOf } from "../../lib/cluster/access.ts";
import { ofType, type State } from "../../lib/engine/state.ts";
import { revealed } from "../../lib/engine/value.ts";
import { clusterSecretsIn, passwordsNamed, redraw, seedOf, type Carrier, type DrawnSecret } from "./drawn.ts";
import { commitStep, type Rotation } from "./rotation.ts";

/** The token that signs notifications of pushes, and that their URL derives from. */
export const webhookToken: Rotation = {
  name: "webhook-token",
  what: "the token that signs the Git host's notifications of pushes",
  interrupts:
    "Notifications of pushes are refused until the Git host has the new token and URL; Flux still looks at the repository every few minutes.",
  rotate: async (surroundings) => {
    const { target } = surroundings;
    const { resumed, before, escrow } = await redraw(surroundings, webhookSecret);
    const isRegistered = ofType(before, resourceTypes.webhook).length > 0;
    const { gitops, cloudflare } = await target.config();
    const isReceived = gitops.engine === "flux" && cloudflare?.webhook !== undefined;
    if (isReceived) await receiveAnew(target);
    return {
      resumed,
      said: [`The webhook of ${target.stack} has another token, and another URL that derives from it`],
      left: [
        ...commitStep(target, escrow),
        ...(isReceived && !isRegistered ? byHand(hosted(gitops.repository).host, cloudflare.webhook ?? "") : []),
      ],
      escrow,
    };
  },
};

/** Makes Flux compute the receiver's new URL at once. A receiver that is not there yet takes the new token anyway. */
const receiveAnew = async ({ engine }: { engine: Parameters<typeof kubernetesOf>[0] }): Promise<void> => {
  const path = `/apis/notification.toolkit.fluxcd.io/v1/namespaces/${receiver.namespace}/receivers/${receiver.name}`;
  const kubernetes = await kubernetesOf(engine);
  if ((await kubernetes.get(path)) === undefined) return;
  await kubernetes.annotate(path, "reconcile.fluxcd.io/requestedAt", new Date().toISOString());
};

/** What a person does at a Git host that the program does not reach. The values are secret, so only the commands are shown. */
const byHand = (host: string, webhook: string): string[] => [
  `give the webhook at ${host} its new URL, https://${webhook} with the path that this prints:\n` +
    `kubectl --namespace ${receiver.namespace} get receiver ${receiver.name} --output jsonpath={.status.webhookPath}`,
  "give it the new token, which this prints:\n" +
    `kubectl --namespace ${receiver.namespace} get secret webhook-token --output jsonpath={.data.token} | base64 -d`,
];

export const webhookSecret: DrawnSecret = {
  name: "webhook token",
  passwords: (state) => passwordsNamed(state, "webhook-token"),
  carriers: (state): Carrier[] => {
    const [password] = passwordsNamed(state, "webhook-token");
    const token = password && seedOf(password);
    return [
      ...clusterSecretsIn(state).flatMap(({ urn, data }) =>
        urn.endsWith("::webhook-token") ? [{ urn, isCurrent: data.token === token }] : [],
      ),
      ...registeredIn(state).map(({ urn, secret }) => ({ urn, isCurrent: secret === token })),
    ];
  },
};

/** Source of the fields of a registered webhook: pulumi-github 6.15, RepositoryWebhook. */
const registeredIn = (state: State): { urn: string; secret: unknown }[] =>
  ofType(state, resourceTypes.webhook).map(({ urn, inputs }) => {
    const { configuration } = (revealed(inputs) ?? {}) as { configuration?: { secret?: unknown } };
    return { urn, secret: configuration?.secret };
  });
