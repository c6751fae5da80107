/** An expression that has to hold for objects of the cluster. */
export interface HealthCheck {
  apiVersion: string;
  kind: string;
  namespace?: string | undefined;
  name?: string | undefined;
  expression: string;
  /** Where an object says why it does not hold. */
  details?: string[];
  /** For how long it has to hold after a machine is back, in milliseconds, because its controller polls. @default 0 */
  settles?: number;
  /** Whether the cluster need not have the kind. @default false */
  isOptional?: boolean;
}
