/** What lets a client in at the tests' S3 and KMS. */
export const awsCredentials = { AWS_ACCESS_KEY_ID: "AKIAHEARTH", AWS_SECRET_ACCESS_KEY: "hearth-aws-secret" };
