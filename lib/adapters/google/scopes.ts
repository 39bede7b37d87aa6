// What is asked for where nobody says: IAM decides what may be done, so one scope is enough.
// Source: https://cloud.google.com/docs/authentication#authorization-gcp
export const CLOUD_PLATFORM = 'https://www.googleapis.com/auth/cloud-platform';
