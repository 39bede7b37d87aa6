# Somebody is told when the functions deny far more than usual: a caller with a wrong setting, or one who tries what is not theirs.

resource "google_logging_metric" "denials" {
  for_each = local.functions_on ? toset(["denials"]) : toset([])

  name        = "${local.metric_prefix}_${each.key}"
  description = "Requests that the functions denied (audit lines)."
  filter = join(" AND ", [
    "resource.type=\"cloud_run_revision\"",
    "resource.labels.location=\"${var.region}\"",
    "resource.labels.service_name=(${join(" OR ", [for service in google_cloud_run_v2_service.functions : "\"${service.name}\""])})",
    "jsonPayload.audit.decision=\"denied\"",
  ])

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}

resource "google_monitoring_alert_policy" "denials" {
  for_each = google_logging_metric.denials

  display_name          = "${var.name}: the functions deny much"
  severity              = "WARNING"
  combiner              = "OR"
  notification_channels = var.notification_channels

  conditions {
    display_name = "the functions deny much"

    condition_prometheus_query_language {
      query                     = "sum(increase(logging_googleapis_com:user_${each.value.name}{monitored_resource=\"cloud_run_revision\"}[15m])) > ${var.denials_alert}"
      duration                  = "0s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "More than ${var.denials_alert} requests were denied within 15 minutes. The audit lines name the caller, what was asked for and the rule: `gcloud logging read 'resource.type=\"cloud_run_revision\" jsonPayload.audit.decision=\"denied\"' --project=${var.project_id} --freshness=1h`."
  }

  alert_strategy {
    auto_close = "86400s"
  }
}
