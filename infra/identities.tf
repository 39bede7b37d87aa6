# Who does what. Each identity has the roles that it needs, on the smallest thing that they can be granted on.

resource "google_service_account" "job" {
  account_id   = "${var.name}-job"
  display_name = "mk8s: the job"
  description  = "Reads clusters, writes revisions to Firestore and changes to Pub/Sub."

  depends_on = [google_project_service.apis]
}

resource "google_service_account" "scheduler" {
  account_id   = "${var.name}-scheduler"
  display_name = "mk8s: the schedule"
  description  = "May run the job, and nothing else."

  depends_on = [google_project_service.apis]
}

locals {
  # In each watched project. None of them reads an object in a cluster: that is for each cluster to allow
  # (infra/kubernetes).
  roles_for_gke = local.uses_gke ? [
    "roles/container.clusterViewer", # list clusters with their endpoints; connect to their DNS endpoints
  ] : []
  roles_for_fleets = contains(var.sources, "fleet") ? [
    "roles/gkehub.viewer",        # list memberships
    "roles/gkehub.gatewayReader", # get, list and watch through Connect Gateway
    "roles/browser",              # read the project's number, by which Connect Gateway addresses it
  ] : []
  roles_in_watched_projects = concat(local.roles_for_gke, local.roles_for_fleets)
}

resource "google_project_iam_member" "job_reads" {
  for_each = {
    for pair in setproduct(local.watched_projects, local.roles_in_watched_projects) : "${pair[0]}/${pair[1]}" => { project = pair[0], role = pair[1] }
  }

  project = each.value.project
  role    = each.value.role
  member  = google_service_account.job.member
}

resource "google_project_iam_member" "job_stores" {
  project = var.project_id
  role    = "roles/datastore.user" # read and write documents; no indexes, no other database
  member  = google_service_account.job.member

  condition {
    title      = "the database ${google_firestore_database.history.name} only"
    expression = "resource.name == \"projects/${var.project_id}/databases/${google_firestore_database.history.name}\""
  }
}

resource "google_pubsub_topic_iam_member" "job_publishes" {
  topic  = google_pubsub_topic.changes.id
  role   = "roles/pubsub.publisher" # publish to this topic; no subscriptions, no other topic
  member = google_service_account.job.member
}

# No roles/logging.logWriter: what a job writes to stdout, Cloud Run takes to Cloud Logging itself.

resource "google_cloud_run_v2_job_iam_member" "scheduler_runs" {
  location = google_cloud_run_v2_job.mk8s.location
  name     = google_cloud_run_v2_job.mk8s.name
  role     = "roles/run.invoker" # start this job as it is configured; not change it, not start another
  member   = google_service_account.scheduler.member
}
