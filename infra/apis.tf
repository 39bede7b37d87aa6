# The APIs that this and the job need. They stay enabled when this is destroyed: others in the project may use them.

locals {
  apis = toset(concat([
    "artifactregistry.googleapis.com",     # the job's image
    "cloudbuild.googleapis.com",           # builds and deploys it
    "cloudresourcemanager.googleapis.com", # the number of a project: Connect Gateway addresses by it
    "cloudscheduler.googleapis.com",       # starts the job
    "connectgateway.googleapis.com",       # the job asks a fleet's clusters through it
    "container.googleapis.com",            # the job lists GKE clusters
    "firestore.googleapis.com",            # revisions, checkpoints, leases
    "gkehub.googleapis.com",               # the job lists memberships
    "iam.googleapis.com",                  # service accounts
    "logging.googleapis.com",              # metrics out of the run reports
    "monitoring.googleapis.com",           # alerts and the dashboard
    "pubsub.googleapis.com",               # changes
    "run.googleapis.com",                  # the job
    "serviceusage.googleapis.com",         # enables the others
    "storage.googleapis.com",              # the sources that a build reads
    ], local.functions_on ? [
    "iamcredentials.googleapis.com", # the function of tokens gets tokens of Google service accounts
    "secretmanager.googleapis.com",  # the functions' policy
    "sts.googleapis.com",            # and Google's tokens for Kubernetes service accounts
  ] : []))

  watched_projects = length(var.watched_projects) == 0 ? toset([var.project_id]) : toset(var.watched_projects)

  # An API has to be enabled in the project that is asked about, too.
  watched_apis = toset(concat(
    contains(var.sources, "fleet") ? ["cloudresourcemanager.googleapis.com", "connectgateway.googleapis.com", "gkehub.googleapis.com"] : [],
    local.uses_gke ? ["container.googleapis.com"] : [],
  ))

  uses_gke = anytrue([for source in var.sources : source == "gke" || startswith(source, "gke://")])
}

resource "google_project_service" "apis" {
  for_each = local.apis

  service            = each.value
  disable_on_destroy = false
}

resource "google_project_service" "watched" {
  for_each = {
    for pair in setproduct(local.watched_projects, local.watched_apis) : "${pair[0]}/${pair[1]}" => { project = pair[0], service = pair[1] }
    if pair[0] != var.project_id
  }

  project            = each.value.project
  service            = each.value.service
  disable_on_destroy = false

  depends_on = [google_project_service.apis]
}

# For its number: Google's own service agents are named by it.
data "google_project" "this" {
  project_id = var.project_id

  depends_on = [google_project_service.apis]
}
