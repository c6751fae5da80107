import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** Makes a namespace that GitOps needs before it can start. */
export const createNamespace = (name: string, parent: pulumi.Resource): k8s.core.v1.Namespace =>
  new k8s.core.v1.Namespace(
    name,
    { metadata: { name } },
    // The engine that comes to live in it labels it as its own.
    { parent, ignoreChanges: ["metadata.labels", "metadata.annotations"] },
  );

/** Plants a Secret that Git must not hold. */
export const createSecret = (
  name: string,
  data: Record<string, pulumi.Input<string>>,
  namespace: k8s.core.v1.Namespace,
  parent: pulumi.Resource,
  labels?: Record<string, string>,
): k8s.core.v1.Secret =>
  new k8s.core.v1.Secret(
    name,
    {
      metadata: { name, namespace: namespace.metadata.name, ...(labels && { labels }) },
      stringData: pulumi.secret(data),
    },
    { parent },
  );
