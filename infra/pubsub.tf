# Changes as CloudEvents: a topic, subscriptions that filter them by attributes, and a place for what nobody could take.

locals {
  # Pub/Sub itself moves messages to the dead-letter topic, as its service agent.
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "changes" {
  name                       = "${var.name}-changes"
  message_retention_duration = "${var.topic_retention_days * 86400}s"

  depends_on = [google_project_service.apis]
}

resource "google_pubsub_topic" "dead_letters" {
  name = "${var.name}-dead-letters"

  depends_on = [google_project_service.apis]
}

# Without a subscription, what is sent to a topic is gone.
resource "google_pubsub_subscription" "dead_letters" {
  name                       = "${var.name}-dead-letters"
  topic                      = google_pubsub_topic.dead_letters.id
  message_retention_duration = "${7 * 86400}s"

  expiration_policy {
    ttl = "" # never
  }
}

resource "google_pubsub_topic_iam_member" "agent_publishes_dead_letters" {
  topic  = google_pubsub_topic.dead_letters.id
  role   = "roles/pubsub.publisher" # put messages there
  member = local.pubsub_agent
}

resource "google_pubsub_subscription" "subscriptions" {
  for_each = var.subscriptions

  name                 = "${var.name}-${each.key}"
  topic                = google_pubsub_topic.changes.id
  filter               = each.value.filter
  ack_deadline_seconds = each.value.ack_deadline_seconds

  # Changes of one object arrive in their order.
  enable_message_ordering = true

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = var.max_delivery_attempts
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  expiration_policy {
    ttl = each.value.expires ? "${31 * 86400}s" : ""
  }
}

resource "google_pubsub_subscription_iam_member" "agent_acknowledges" {
  for_each = google_pubsub_subscription.subscriptions

  subscription = each.value.name
  role         = "roles/pubsub.subscriber" # acknowledge what it has moved to the dead letters
  member       = local.pubsub_agent
}
