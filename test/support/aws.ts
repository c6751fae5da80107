/** Credentials that the tests' S3 and KMS accept. */
export const awsCredentials = { AWS_ACCESS_KEY_ID: "AKIAHEARTH", AWS_SECRET_ACCESS_KEY: "hearth-aws-secret" };
