# When somebody is told. The conditions are PromQL, for only those may name a metric of which nothing was written yet:
# any other fails when all of this is made at once. A policy takes one PromQL condition and none beside it.

locals {
  executions = "run_googleapis_com:job_completed_execution_count{monitored_resource=\"cloud_run_job\",job_name=\"${google_cloud_run_v2_job.mk8s.name}\",location=\"${google_cloud_run_v2_job.mk8s.location}\"%s}"
  from_logs  = "logging_googleapis_com:user_%s{monitored_resource=\"cloud_run_job\"}"

  failed_executions    = format(local.executions, ",result=\"failed\"")
  succeeded_executions = format(local.executions, ",result=\"succeeded\"")

  # Three times the longest time in which a run should end well.
  silence_minutes = var.mode == "follow" ? 3 * local.deadline_minutes : max(30, 3 * var.catch_up_minutes)

  logs = "https://console.cloud.google.com/run/jobs/details/${google_cloud_run_v2_job.mk8s.location}/${google_cloud_run_v2_job.mk8s.name}/logs?project=${var.project_id}"

  alerts = {
    lag = {
      title    = "a stream is behind"
      query    = "sum(increase(${format(local.from_logs, google_logging_metric.run_alarms["late_runs"].name)}[15m])) > 0"
      severity = "WARNING"
      help     = "A run ended with a stream more than ${var.lag_alert_seconds} s behind its cluster. The logs name it, and what holds it up: a cluster that does not answer, a right that is missing, a topic that takes nothing."
    }
    gaps = {
      title    = "a stream has a gap"
      query    = "sum(increase(${format(local.from_logs, google_logging_metric.run_alarms["runs_with_gaps"].name)}[15m])) > 0"
      severity = "WARNING"
      help     = "A watch could not be resumed, so the objects were compared with what is recorded: their last states are complete, states between are not. Often runs are too far apart for what the cluster keeps (5 minutes by default), or a cluster was restored."
    }
    failed = {
      title    = "runs fail"
      query    = "sum(increase(${local.failed_executions}[1h])) >= ${var.failed_runs_alert}"
      severity = "ERROR"
      help     = "Runs ended with another exit code than 0, ran out of memory, or out of time. The last line of each says why, and its exit code is explained in the README."
    }
    silent = {
      title    = "no run ends well"
      query    = "absent_over_time(${local.succeeded_executions}[${local.silence_minutes}m])"
      severity = "ERROR"
      help     = "For ${local.silence_minutes} minutes no run has ended well: all fail, none is started (is the schedule paused?), or one hangs."
    }
  }
}

resource "google_monitoring_alert_policy" "alerts" {
  for_each = local.alerts

  display_name          = "${var.name}: ${each.value.title}"
  severity              = each.value.severity
  combiner              = "OR"
  notification_channels = var.notification_channels

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query                     = each.value.query
      duration                  = "0s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "${each.value.help}\n\n[Logs of the job](${local.logs})"
  }

  alert_strategy {
    auto_close = "86400s"
  }
}
