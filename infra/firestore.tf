# The database of revisions, checkpoints and leases. Its layout: docs/firestore.md.

locals {
  # Collections and the fields whose indexes differ from Firestore's default (every field, ascending and descending, and
  # array-contains). What is not queried by itself has no index: each entry is stored and slows the write down.
  #   unindexed  no index of its own; it may be part of a composite one below
  #   expires    the time after which Firestore removes the document (TTL); no index either, for times that only grow
  #              would make one hot spot of it
  # Other collections are small and keep the default. Leases never expire: they carry the fencing numbers.
  collections = {
    frames = {
      unindexed = ["chunks", "data", "nonce", "number", "observedAt", "parts", "sealed", "size", "tags", "writer"]
      expires   = "expireAt"
    }
    chunks      = { unindexed = ["data"], expires = "expireAt" }
    pages       = { unindexed = ["data"], expires = null }
    streams     = { unindexed = ["checkpoint", "pages", "ref"], expires = null }
    sessions    = { unindexed = ["holder"], expires = "expireAt" }
    status      = { unindexed = ["data"], expires = "expireAt" }
    statusParts = { unindexed = ["data"], expires = "expireAt" }
    inventory   = { unindexed = ["data"], expires = null }
  }

  # What is searched by more than one field: name -> collection and fields.
  composites = {
    frames_of_a_tag = { collection = "frames", fields = [
      { path = "tags", order = null }, { path = "position", order = "ASCENDING" },
    ] }
    newest_frames_of_a_tag = { collection = "frames", fields = [
      { path = "tags", order = null }, { path = "position", order = "DESCENDING" },
    ] }
    end_of_a_chain = { collection = "frames", fields = [
      { path = "writer", order = "ASCENDING" }, { path = "number", order = "DESCENDING" },
    ] }
    streams_of_a_cluster = { collection = "streams", fields = [
      { path = "cluster", order = "ASCENDING" }, { path = "key", order = "ASCENDING" },
    ] }
  }

  fields = merge([
    for collection, of in local.collections : merge(
      { for field in of.unindexed : "${collection}/${field}" => { collection = collection, field = field, expires = false } },
      { for field in compact([of.expires]) : "${collection}/${field}" => { collection = collection, field = field, expires = true } },
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
  index_config {}

  dynamic "ttl_config" {
    for_each = each.value.expires ? [true] : []
    content {}
  }
}

resource "google_firestore_index" "composites" {
  for_each = local.composites

  database   = google_firestore_database.history.name
  collection = each.value.collection

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path   = fields.value.path
      order        = fields.value.order
      array_config = fields.value.order == null ? "CONTAINS" : null
    }
  }
}
