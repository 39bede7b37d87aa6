// What is asked for where nobody says: IAM decides what may be done, so one scope is enough.
// Source: https://cloud.google.com/docs/authentication#authorization-gcp
export const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform';

/** GKE knows a caller by email in RBAC only where the token has this scope too; else by a number. */
export const USER_EMAIL = 'https://www.googleapis.com/auth/userinfo.email';
