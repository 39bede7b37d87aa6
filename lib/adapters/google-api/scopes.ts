// What is asked for where nobody says: IAM decides what may be done, so one scope is enough.
// Source: https://cloud.google.com/docs/authentication#authorization-gcp
export const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform';

/**
 * For clusters: without the second scope GKE knows a service account by its number only, and role bindings to its address do
 * not hold. gke-gcloud-auth-plugin asks for both, too.
 */
export const CLUSTER_SCOPES: readonly string[] = [CLOUD_PLATFORM, 'https://www.googleapis.com/auth/userinfo.email'];
