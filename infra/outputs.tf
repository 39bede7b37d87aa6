# What the commands of the README need.

output "job" {
  description = "Name of the job."
  value       = google_cloud_run_v2_job.mk8s.name
}

output "job_service_account" {
  description = "Who the job is: clusters have to let it read (infra/kubernetes)."
  value       = google_service_account.job.email
}

output "kubernetes_read_only" {
  description = "Manifest that lets the job read a cluster: terraform output -raw kubernetes_read_only | kubectl apply -f -"
  value       = templatefile("${path.module}/kubernetes/read-only.yaml", local.kubernetes_names)
}

output "kubernetes_connect_agent" {
  description = "Manifest that clusters outside Google Cloud need as well, so that their Connect agent may speak for the job."
  value       = templatefile("${path.module}/kubernetes/connect-agent.yaml", local.kubernetes_names)
}

output "function_urls" {
  description = "Where the functions answer, by name: clusters and tokens. Empty where there are none."
  value       = { for name, service in google_cloud_run_v2_service.functions : name => local.function_urls[name] }
}

output "kubernetes_mint_tokens" {
  description = "Manifest, to be edited, that lets the function of tokens mint in a cluster: who may be minted in which namespace."
  value       = join("", [for names in local.kubernetes_names_of_tokens : templatefile("${path.module}/kubernetes/mint-tokens.yaml", names)])
}

output "kubernetes_mint_tokens_connect_agent" {
  description = "Manifest that clusters outside Google Cloud need as well, so that their Connect agent may speak for the function of tokens."
  value = join("", [for names in local.kubernetes_names_of_tokens : replace(
    templatefile("${path.module}/kubernetes/connect-agent.yaml", names), "name: mk8s-connect-agent", "name: mk8s-tokens-connect-agent",
  )])
}

output "topic" {
  description = "Topic of the changes."
  value       = google_pubsub_topic.changes.id
}

output "database" {
  description = "Firestore database of revisions, checkpoints and leases."
  value       = google_firestore_database.history.id
}

output "build" {
  description = "What to hand to gcloud builds submit."
  value = join(" ", [
    "--project=${var.project_id}",
    "--region=${var.region}",
    "--gcs-source-staging-dir=${google_storage_bucket.sources.url}/source",
    "--substitutions=_NAME=${var.name},_REGION=${var.region},_FUNCTIONS=${local.functions_on ? "yes" : "no"}",
  ])
}

output "dashboard" {
  description = "Address of the dashboard."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${reverse(split("/", google_monitoring_dashboard.mk8s.id))[0]}?project=${var.project_id}"
}

locals {
  kubernetes_names = {
    service_account_email = google_service_account.job.email
    service_account_id    = google_service_account.job.unique_id
  }
  # None or one.
  kubernetes_names_of_tokens = [for name, account in google_service_account.functions : {
    service_account_email = account.email
    service_account_id    = account.unique_id
  } if name == "tokens"]
}
