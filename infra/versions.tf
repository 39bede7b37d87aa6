# What runs this, and where it keeps its state: a bucket that `terraform init -backend-config=bucket=NAME` names.

terraform {
  # A variable's validation may look at another variable from 1.9 on.
  required_version = ">= 1.9"

  required_providers {
    google = {
      source = "hashicorp/google"
      # 6.14 lets an alert name a metric of which nothing has been written yet (disable_metric_validation).
      version = ">= 6.14, < 8.0"
    }
  }

  backend "gcs" {
    prefix = "mk8s"
  }
}

provider "google" {
  project = var.project_id
  region  = var.region
}
