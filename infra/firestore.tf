# The database of revisions, checkpoints and leases. Its layout: docs/firestore.md.

locals {
  # Collection groups and the fields whose indexes differ from Firestore's default (every field, ascending and
  # descending, and array-contains). What is not queried has no index:
  # each entry is stored and slows the write down.
  #   unindexed  no index at all
  #   contains   array-contains only
  #   expires    the time after which Firestore removes the document (TTL); no index either, for times that only
  #              grow would make one hot spot of it
  # Other collections are small and keep the default. Leases never expire so: they carry the fencing numbers.
  collections = {
    frames = { unindexed = ["data"], contains = ["objects"], expires = "expireAt" }
    pages  = { unindexed = ["data"], contains = [], expires = null }
  }

  fields = merge([
    for collection, of in local.collections : merge(
      { for field in of.unindexed : "${collection}/${field}" => { collection = collection, field = field, contains = false, expires = false } },
      { for field in of.contains : "${collection}/${field}" => { collection = collection, field = field, contains = true, expires = false } },
      { for field in compact([of.expires]) : "${collection}/${field}" => { collection = collection, field = field, contains = false, expires = true } },
    )
  ]...)
}

resource "google_firestore_database" "history" {
  name                    = var.name
  location_id             = coalesce(var.firestore_location, var.region)
  type                    = "FIRESTORE_NATIVE"
  delete_protection_state = var.protect_data ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  # Without this, destroy would only forget the database.
  deletion_policy = "DELETE"

  depends_on = [google_project_service.apis]
}

resource "google_firestore_field" "fields" {
  for_each = local.fields

  database   = google_firestore_database.history.name
  collection = each.value.collection
  field      = each.value.field

  # An empty block: no index.
  index_config {
    dynamic "indexes" {
      for_each = each.value.contains ? [true] : []
      content {
        array_config = "CONTAINS"
      }
    }
  }

  dynamic "ttl_config" {
    for_each = each.value.expires ? [true] : []
    content {}
  }
}
