# Who the functions are, and who may call them. Listing needs no power over a cluster, and has none; minting has what it needs to ask a
# cluster, and there each namespace says which accounts' tokens it gives (kubernetes/mint-tokens.yaml). Neither has a key.

resource "google_service_account" "functions" {
  for_each = local.functions

  account_id   = "${var.name}-${each.key}"
  display_name = "mk8s: the function of ${each.key}"
  description  = each.key == "tokens" ? "Mints tokens, as the policy grants." : "Lists clusters out of Firestore."

  depends_on = [google_project_service.apis]
}

resource "google_secret_manager_secret_iam_member" "functions_read_the_policy" {
  for_each = local.functions

  secret_id = google_secret_manager_secret.policy["policy"].secret_id
  role      = "roles/secretmanager.secretAccessor" # read the policy; no other secret
  member    = google_service_account.functions[each.key].member
}

resource "google_project_iam_member" "clusters_reads_the_store" {
  for_each = local.functions_on ? toset(["clusters"]) : toset([])

  project = var.project_id
  role    = "roles/datastore.viewer" # read the inventory and the state of streams that the job keeps; write nothing
  member  = google_service_account.functions[each.key].member

  condition {
    title      = "the database ${google_firestore_database.history.name} only"
    expression = "resource.name == \"projects/${var.project_id}/databases/${google_firestore_database.history.name}\""
  }
}

locals {
  # The same clusters as the job's, in the same projects: found and addressed with the roles that read (identities.tf).
  roles_of_tokens = {
    for pair in setproduct(local.watched_projects, local.roles_in_watched_projects) : "${pair[0]}/${pair[1]}" => { project = pair[0], role = pair[1] }
    if local.functions_on
  }
  posting_projects = local.functions_on && contains(var.sources, "fleet") ? local.watched_projects : toset([])
}

resource "google_project_iam_member" "tokens_reads" {
  for_each = local.roles_of_tokens

  project = each.value.project
  role    = each.value.role
  member  = google_service_account.functions["tokens"].member
}

# TokenRequest is a POST. Google's own roles with it also put, patch and delete through Connect Gateway.
# Source: https://cloud.google.com/iam/docs/roles-permissions/gkehub
resource "google_project_iam_custom_role" "posts_through_gateway" {
  for_each = local.posting_projects

  project     = each.value
  role_id     = "${local.metric_prefix}_tokens_post_through_gateway"
  title       = "${var.name}: post through Connect Gateway"
  description = "TokenRequest, which is a POST; what may be posted is for each cluster to say."
  permissions = ["gkehub.gateway.post"]

  depends_on = [google_project_service.apis]
}

resource "google_project_iam_member" "tokens_posts_through_gateway" {
  for_each = google_project_iam_custom_role.posts_through_gateway

  project = each.key
  role    = each.value.name
  member  = google_service_account.functions["tokens"].member
}

resource "google_service_account_iam_member" "tokens_impersonates" {
  for_each = local.functions_on ? toset(var.impersonated_service_accounts) : toset([])

  # NAME@PROJECT.iam.gserviceaccount.com
  service_account_id = "projects/${split(".", split("@", each.value)[1])[0]}/serviceAccounts/${each.value}"
  role               = "roles/iam.serviceAccountTokenCreator" # access and identity tokens of this account, where the policy grants them; of no other
  member             = google_service_account.functions["tokens"].member
}

resource "google_cloud_run_v2_service_iam_member" "callers" {
  for_each = {
    for pair in setproduct(keys(local.functions), var.callers) : "${pair[0]}/${pair[1]}" => { name = pair[0], member = pair[1] }
  }

  location = google_cloud_run_v2_service.functions[each.value.name].location
  name     = google_cloud_run_v2_service.functions[each.value.name].name
  role     = "roles/run.invoker" # reach the function; what it answers is for the policy to say
  member   = each.value.member
}

resource "google_cloud_run_v2_service_iam_member" "builder_deploys" {
  for_each = google_cloud_run_v2_service.functions

  location = each.value.location
  name     = each.value.name
  role     = "roles/run.developer" # give this service another image
  member   = google_service_account.builder.member
}

resource "google_service_account_iam_member" "builder_acts_as_the_functions" {
  for_each = google_service_account.functions

  service_account_id = each.value.name
  role               = "roles/iam.serviceAccountUser" # whoever deploys a service must be allowed to act as its identity
  member             = google_service_account.builder.member
}
