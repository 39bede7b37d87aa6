# The job, and what starts it.

locals {
  deadline_minutes = coalesce(var.deadline_minutes, var.mode == "follow" ? 65 : 55)

  environment = merge(
    {
      MK8S_SOURCE          = join(",", var.sources)
      MK8S_GOOGLE_PROJECTS = join(",", local.watched_projects)
      MK8S_MODE            = var.mode
      MK8S_DEADLINE        = "${local.deadline_minutes}m"
      MK8S_SINKS           = "pubsub://${var.project_id}/${google_pubsub_topic.changes.name}"
      MK8S_STORE           = "firestore://${var.project_id}/${google_firestore_database.history.name}"
    },
    var.options,
  )
}

resource "google_cloud_run_v2_job" "mk8s" {
  name     = var.name
  location = var.region
  # All that it keeps is in Firestore and Pub/Sub: it can be made anew at any time.
  deletion_protection = false

  template {
    task_count  = var.tasks
    parallelism = var.tasks

    template {
      service_account = google_service_account.job.email
      max_retries     = var.max_retries
      # The run ends itself at its deadline; this is for one that does not.
      timeout = "${(local.deadline_minutes + 5) * 60}s"

      containers {
        image = var.image

        resources {
          limits = {
            cpu    = var.cpu
            memory = var.memory
          }
        }

        dynamic "env" {
          for_each = local.environment
          content {
            name  = env.key
            value = env.value
          }
        }
      }

      dynamic "vpc_access" {
        for_each = var.network == null ? [] : [var.network]
        content {
          egress = "PRIVATE_RANGES_ONLY"
          network_interfaces {
            network    = vpc_access.value.network
            subnetwork = vpc_access.value.subnetwork
          }
        }
      }
    }
  }

  lifecycle {
    # cloudbuild.yaml deploys images, and gcloud leaves its name.
    ignore_changes = [template[0].template[0].containers[0].image, client, client_version]
  }

  # A run that starts before its roles are granted fails.
  depends_on = [
    google_project_service.apis,
    google_project_service.watched,
    google_project_iam_member.job_reads,
    google_project_iam_member.job_stores,
    google_pubsub_topic_iam_member.job_publishes,
    google_firestore_field.fields,
    google_firestore_index.composites,
  ]
}

# Leases make overlapping runs harmless: in mode catch-up a run may outlast its interval, in mode follow the next run
# takes the streams over while the last one ends.
resource "google_cloud_scheduler_job" "runs" {
  name        = var.name
  region      = var.region
  description = "Starts the job ${google_cloud_run_v2_job.mk8s.name} (${var.mode})."
  schedule    = var.mode == "follow" || var.catch_up_minutes == 60 ? "0 * * * *" : "*/${var.catch_up_minutes} * * * *"
  time_zone   = "Etc/UTC"
  paused      = var.paused

  retry_config {
    retry_count = 3
  }

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.mk8s.id}:run"

    oauth_token {
      service_account_email = google_service_account.scheduler.email
    }
  }

  depends_on = [google_cloud_run_v2_job_iam_member.scheduler_runs]
}
