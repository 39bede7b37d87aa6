# The HTTP functions (docs/functions.md): one service that lists clusters, one that mints tokens, each as who it is. They are made from the
# job's image, so they come after the first build; without a policy, which says who may have what, they are not made.

locals {
  functions_on = var.policy_file != null && var.functions

  # Where Cloud Run puts a service is known before it is made: a service can be told its own URL, and that of the other.
  # Source: https://cloud.google.com/run/docs/triggering/https-request#deterministic
  function_urls = {
    for name in ["clusters", "tokens"] : name => "https://${var.name}-${name}-${data.google_project.this.number}.${var.region}.run.app"
  }

  policy_folder = "/etc/mk8s"

  function_environment = {
    clusters = {
      MK8S_STORE            = "firestore://${var.project_id}/${google_firestore_database.history.name}"
      MK8S_SERVE_TOKENS_URL = local.function_urls["tokens"]
    }
    tokens = {
      MK8S_SOURCE          = join(",", var.sources)
      MK8S_GOOGLE_PROJECTS = join(",", local.watched_projects)
    }
  }

  functions = { for name, environment in local.function_environment : name => merge(
    {
      NODE_ENV          = "production"
      MK8S_SERVE_URL    = local.function_urls[name]
      MK8S_SERVE_POLICY = "${local.policy_folder}/policy.yaml"
      # Cloud Run's own front end. Behind a load balancer, which adds one more, it is the balancer that counts, unless functions_options says 2.
      MK8S_SERVE_PROXIES = "1"
    },
    environment,
    var.functions_options,
  ) if local.functions_on }

  function_ingress = {
    "internal"                = "INGRESS_TRAFFIC_INTERNAL_ONLY"
    "internal-load-balancing" = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
    "all"                     = "INGRESS_TRAFFIC_ALL"
  }
}

resource "google_cloud_run_v2_service" "functions" {
  for_each = local.functions

  name     = "${var.name}-${each.key}"
  location = var.region
  ingress  = local.function_ingress[var.functions_ingress]
  # It keeps nothing.
  deletion_protection = false

  template {
    service_account = google_service_account.functions[each.key].email
    # The first answer of the function of tokens waits up to 20 s for clusters that do not answer.
    timeout                          = "60s"
    max_instance_request_concurrency = 80

    scaling {
      max_instance_count = var.functions_max_instances
    }

    containers {
      image   = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}/${var.name}:latest"
      command = ["node"]
      args = [
        "node_modules/@google-cloud/functions-framework/build/src/main.js",
        "--source=dist/bundle/${each.key}.mjs",
        "--target=${each.key}",
      ]

      resources {
        limits = {
          cpu    = "1"
          memory = var.functions_memory
        }
        # Between requests the function of tokens follows which clusters there are; the other one has nothing to do.
        cpu_idle          = each.key != "tokens"
        startup_cpu_boost = true
      }

      startup_probe {
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 30
        http_get {
          path = "/readyz"
        }
      }

      liveness_probe {
        period_seconds    = 30
        timeout_seconds   = 5
        failure_threshold = 3
        http_get {
          path = "/healthz"
        }
      }

      dynamic "env" {
        for_each = each.value
        content {
          name  = env.key
          value = env.value
        }
      }

      volume_mounts {
        name       = "policy"
        mount_path = local.policy_folder
      }
    }

    volumes {
      name = "policy"
      secret {
        secret = google_secret_manager_secret.policy["policy"].secret_id
        # This version and no other: with another policy come new instances, which read it when they start.
        items {
          version = google_secret_manager_secret_version.policy["policy"].version
          path    = "policy.yaml"
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

  lifecycle {
    # cloudbuild.yaml deploys images, and gcloud leaves its name.
    ignore_changes = [template[0].containers[0].image, client, client_version]
  }

  # An instance that starts before it may read the policy does not start at all.
  depends_on = [
    google_project_service.apis,
    google_secret_manager_secret_iam_member.functions_read_the_policy,
  ]
}

# The policy is a file. A secret carries it, for that Cloud Run can mount; what it says is no secret to whoever reads the state.
resource "google_secret_manager_secret" "policy" {
  for_each = local.functions_on ? toset(["policy"]) : toset([])

  secret_id = "${var.name}-policy"

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  depends_on = [google_project_service.apis]
}

resource "google_secret_manager_secret_version" "policy" {
  for_each = google_secret_manager_secret.policy

  secret      = each.value.id
  secret_data = file(var.policy_file)

  lifecycle {
    # Instances read the old version until the new ones have taken over.
    create_before_destroy = true
  }
}
