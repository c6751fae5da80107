import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** Creates a namespace that GitOps needs before it can start. */
export const createNamespace = (name: string, parent: pulumi.Resource): k8s.core.v1.Namespace =>
  new k8s.core.v1.Namespace(
    name,
    { metadata: { name } },
    // The GitOps engine that runs in the namespace adds labels of its own.
    { parent, ignoreChanges: ["metadata.labels", "metadata.annotations"] },
  );

/** Creates a Secret that Git must not hold. */
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
