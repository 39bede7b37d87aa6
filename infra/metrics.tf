# Figures out of the run reports: the last log line of each task, {"run":{"exitCode":…,"maxLagSeconds":…,…}}.

locals {
  # No dashes: PromQL's names have none.
  metric_prefix = replace(var.name, "-", "_")

  run_reports = join(" AND ", [
    "resource.type=\"cloud_run_job\"",
    "resource.labels.job_name=\"${google_cloud_run_v2_job.mk8s.name}\"",
    "resource.labels.location=\"${google_cloud_run_v2_job.mk8s.location}\"",
    "jsonPayload.run.exitCode>=0",
  ])

  # Field of the report -> what it is. Distributions, for a counter cannot add up a field.
  run_figures = {
    recorded      = { field = "recorded", unit = "1", description = "Revisions that a task recorded." }
    published     = { field = "published", unit = "1", description = "Changes that a task published." }
    lag_seconds   = { field = "maxLagSeconds", unit = "s", description = "How far behind its cluster the slowest stream was when the task ended." }
    streams       = { field = "streams", unit = "1", description = "Streams that a task followed." }
    clusters      = { field = "clusters", unit = "1", description = "Clusters that a task saw." }
    stream_faults = { field = "failures", unit = "1", description = "Streams that could not be followed when the task ended." }
  }

  # Reports that somebody should know of, counted.
  run_alarms = {
    runs_with_gaps = { filter = "jsonPayload.run.gaps>0", description = "Tasks that found gaps: a watch had to start anew, and what happened meanwhile was found by comparing." }
    late_runs      = { filter = "jsonPayload.run.maxLagSeconds>${var.lag_alert_seconds}", description = "Tasks that ended with a stream more than ${var.lag_alert_seconds} s behind." }
  }
}

resource "google_logging_metric" "run_figures" {
  for_each = local.run_figures

  name            = "${local.metric_prefix}_${each.key}"
  description     = each.value.description
  filter          = local.run_reports
  value_extractor = "EXTRACT(jsonPayload.run.${each.value.field})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit
  }

  # 1 to about 4,000,000 in steps of 40 %.
  bucket_options {
    exponential_buckets {
      num_finite_buckets = 45
      growth_factor      = 1.4
      scale              = 1
    }
  }
}

resource "google_logging_metric" "run_alarms" {
  for_each = local.run_alarms

  name        = "${local.metric_prefix}_${each.key}"
  description = each.value.description
  filter      = "${local.run_reports} AND ${each.value.filter}"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}
