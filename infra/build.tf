# What cloudbuild.yaml needs: a repository for images, a bucket for the sources that `gcloud builds submit` uploads, and an
# identity that may write the one, read the other, and deploy the job.

resource "google_artifact_registry_repository" "images" {
  repository_id = var.name
  location      = var.region
  format        = "DOCKER"
  description   = "Images of the job."

  cleanup_policies {
    id     = "old"
    action = "DELETE"
    condition {
      older_than = "30d"
    }
  }
  cleanup_policies {
    id     = "last"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }

  depends_on = [google_project_service.apis]
}

resource "google_storage_bucket" "sources" {
  name                        = "${replace(var.project_id, "/[.:]/", "-")}-${var.name}-sources"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = 7
    }
  }

  depends_on = [google_project_service.apis]
}

resource "google_service_account" "builder" {
  account_id   = "${var.name}-builder"
  display_name = "mk8s: the build"
  description  = "Builds the image and deploys the job."

  depends_on = [google_project_service.apis]
}

resource "google_storage_bucket_iam_member" "builder_reads_sources" {
  bucket = google_storage_bucket.sources.name
  role   = "roles/storage.objectViewer" # fetch what was uploaded
  member = google_service_account.builder.member
}

resource "google_artifact_registry_repository_iam_member" "builder_pushes" {
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer" # push the image
  member     = google_service_account.builder.member
}

resource "google_cloud_run_v2_job_iam_member" "builder_deploys" {
  location = google_cloud_run_v2_job.mk8s.location
  name     = google_cloud_run_v2_job.mk8s.name
  role     = "roles/run.developer" # give this job another image
  member   = google_service_account.builder.member
}

resource "google_service_account_iam_member" "builder_acts_as_the_job" {
  service_account_id = google_service_account.job.name
  role               = "roles/iam.serviceAccountUser" # whoever deploys a job must be allowed to act as its identity
  member             = google_service_account.builder.member
}

resource "google_project_iam_member" "builder_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter" # the build's log; there is nothing smaller to grant it on
  member  = google_service_account.builder.member
}
