# One page that answers: does it run, is it up to date, how much goes through, who does not read.

locals {
  # Title, what the axis counts, and PromQL by legend (one that begins with "by" draws a line for each value of that
  # label). $${__interval} is the width of a point, put in by the dashboard.
  charts = [
    {
      title = "Runs ended"
      unit  = "runs"
      lines = {
        "by result" = "sum by (result) (increase(${format(local.executions, "")}[$${__interval}]))"
      }
    },
    {
      title = "Slowest stream, at the end of a run"
      unit  = "seconds behind"
      lines = {
        "median"     = "histogram_quantile(0.5, sum by (le) (increase(${local.lag_buckets}[$${__interval}])))"
        "worst (99)" = "histogram_quantile(0.99, sum by (le) (increase(${local.lag_buckets}[$${__interval}])))"
      }
    },
    {
      title = "Revisions and changes"
      unit  = "in all runs"
      lines = {
        "recorded"  = "sum(increase(${local.figure_sums["recorded"]}[$${__interval}]))"
        "published" = "sum(increase(${local.figure_sums["published"]}[$${__interval}]))"
      }
    },
    {
      title = "What went wrong"
      unit  = "tasks, streams"
      lines = {
        "tasks that found gaps"     = "sum(increase(${format(local.from_logs, google_logging_metric.run_alarms["runs_with_gaps"].name)}[$${__interval}]))"
        "tasks that ended late"     = "sum(increase(${format(local.from_logs, google_logging_metric.run_alarms["late_runs"].name)}[$${__interval}]))"
        "streams that did not work" = "sum(increase(${local.figure_sums["stream_faults"]}[$${__interval}]))"
      }
    },
    {
      title = "Clusters and streams of a task"
      unit  = "mean of the tasks"
      lines = {
        "clusters" = "sum(increase(${local.figure_sums["clusters"]}[$${__interval}])) / sum(increase(${local.figure_counts["clusters"]}[$${__interval}]))"
        "streams"  = "sum(increase(${local.figure_sums["streams"]}[$${__interval}])) / sum(increase(${local.figure_counts["streams"]}[$${__interval}]))"
      }
    },
    {
      title = "Memory of a task"
      unit  = "of its limit"
      lines = {
        "worst (99)" = "histogram_quantile(0.99, sum by (le) (rate(run_googleapis_com:container_memory_utilizations_bucket{monitored_resource=\"cloud_run_job\",job_name=\"${google_cloud_run_v2_job.mk8s.name}\"}[$${__interval}])))"
      }
    },
    {
      title = "Subscriptions: oldest change not acknowledged"
      unit  = "seconds"
      lines = {
        "by subscription" = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{${local.subscriptions}})"
      }
    },
    {
      title = "Subscriptions: not acknowledged (dead letters among them)"
      unit  = "messages"
      lines = {
        "by subscription" = "max by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{${local.subscriptions}})"
      }
    },
    {
      title = "Firestore"
      unit  = "documents a second"
      lines = {
        "written" = "sum(rate(firestore_googleapis_com:document_write_ops_count{${local.database}}[$${__interval}]))"
        "read"    = "sum(rate(firestore_googleapis_com:document_read_ops_count{${local.database}}[$${__interval}]))"
        "expired" = "sum(rate(firestore_googleapis_com:document_ttl_deletion_count{${local.database}}[$${__interval}]))"
      }
    },
  ]

  lag_buckets   = "logging_googleapis_com:user_${google_logging_metric.run_figures["lag_seconds"].name}_bucket{monitored_resource=\"cloud_run_job\"}"
  figure_sums   = { for key, metric in google_logging_metric.run_figures : key => format(local.from_logs, "${metric.name}_sum") }
  figure_counts = { for key, metric in google_logging_metric.run_figures : key => format(local.from_logs, "${metric.name}_count") }
  subscriptions = "monitored_resource=\"pubsub_subscription\",subscription_id=~\"${var.name}-.*\""
  database      = "monitored_resource=\"firestore.googleapis.com/Database\",database_id=\"${google_firestore_database.history.name}\""

  # Three charts a row of a grid that is 48 wide; the reports themselves below them.
  chart_tiles = [
    for index, chart in local.charts : {
      xPos   = index % 3 * 16
      yPos   = floor(index / 3) * 16
      width  = 16
      height = 16
      widget = {
        title = chart.title
        xyChart = {
          yAxis = { label = chart.unit, scale = "LINEAR" }
          dataSets = [
            for legend, query in chart.lines : merge(
              { plotType = "LINE", targetAxis = "Y1", timeSeriesQuery = { prometheusQuery = query } },
              startswith(legend, "by ") ? {} : { legendTemplate = legend },
            )
          ]
        }
      }
    }
  ]
}

resource "google_monitoring_dashboard" "mk8s" {
  dashboard_json = jsonencode({
    displayName = var.name
    mosaicLayout = {
      columns = 48
      tiles = concat(local.chart_tiles, [{
        xPos   = 0
        yPos   = ceil(length(local.charts) / 3) * 16
        width  = 48
        height = 16
        widget = {
          title = "Run reports"
          logsPanel = {
            filter        = local.run_reports
            resourceNames = ["projects/${var.project_id}"]
          }
        }
      }])
    }
  })
}
