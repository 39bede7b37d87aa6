# Where it runs, and as what.

variable "project_id" {
  description = "Project that everything is made in."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "A project id: lower-case letters, digits and dashes, not the project's name or number."
  }
}

variable "region" {
  description = "Region of the job, its schedule and its image. Near most of the clusters is best."
  type        = string
  default     = "us-central1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "A region such as europe-west1, not a zone."
  }
}

variable "name" {
  description = "What things are called, and begin with. Two installations in one project need two names."
  type        = string
  default     = "mk8s"

  validation {
    # The longest name made of it is a service account's, NAME-scheduler, of at most 30 characters.
    condition     = can(regex("^[a-z]([a-z0-9-]{2,18}[a-z0-9])$", var.name))
    error_message = "4 to 20 lower-case letters, digits and dashes, beginning with a letter."
  }
}

variable "image" {
  description = "Image that the job is made with. From then on cloudbuild.yaml deploys, and this is ignored. The default does nothing and ends well, until the first build."
  type        = string
  default     = "us-docker.pkg.dev/cloudrun/container/job:latest"
}

# What is followed.

variable "sources" {
  description = "Where clusters come from (MK8S_SOURCE): gke, fleet, istio beside one of them, or single clusters as gke://PROJECT/LOCATION/NAME (of a watched project)."
  type        = list(string)
  default     = ["gke", "fleet"]

  validation {
    condition     = length(var.sources) > 0 && alltrue([for source in var.sources : contains(["gke", "fleet", "istio"], source) || startswith(source, "gke://")])
    error_message = "Each must be gke, fleet, istio or gke://PROJECT/LOCATION/NAME."
  }
}

variable "watched_projects" {
  description = "Ids of the projects with GKE clusters or fleets (MK8S_GOOGLE_PROJECTS). Whoever applies this must be allowed to grant roles there. Empty: project_id."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.watched_projects : can(regex("^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$", id))])
    error_message = "Each must be a project id: lower-case letters, digits and dashes."
  }
}

variable "options" {
  description = "More options of mk8s by their environment variable, e.g. { MK8S_RESOURCES = \"*.istio.io\" }. They win over what is set here."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.options) : startswith(name, "MK8S_")])
    error_message = "Each name must be an option's environment variable, MK8S_…."
  }
}

# When and with how much the job runs.

variable "mode" {
  description = "catch-up: every catch_up_minutes until all is up to date; cheap, changes arrive within minutes. follow: started hourly, each run until the next has taken over; changes arrive at once."
  type        = string
  default     = "catch-up"

  validation {
    condition     = contains(["catch-up", "follow"], var.mode)
    error_message = "Must be catch-up or follow."
  }
}

variable "catch_up_minutes" {
  description = "Minutes between two catch-ups. Not used in mode follow."
  type        = number
  default     = 5

  validation {
    condition     = contains([1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60], var.catch_up_minutes)
    error_message = "Must divide an hour: 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60."
  }
}

variable "deadline_minutes" {
  description = "Minutes after which a run ends in order. null: 55 in mode catch-up (a first sync takes its time), 65 in mode follow, so that two runs overlap while one hands over."
  type        = number
  default     = null

  validation {
    condition     = var.deadline_minutes == null ? true : var.deadline_minutes >= 1 && var.deadline_minutes <= 1430 && (var.mode != "follow" || var.deadline_minutes > 60)
    error_message = "1 to 1430 minutes (a task may run for a day); in mode follow more than 60, or there are holes between the runs."
  }
}

variable "paused" {
  description = "Whether the schedule rests. The job can still be run by hand."
  type        = bool
  default     = false
}

variable "tasks" {
  description = "Tasks of a run, all at once; the streams are shared among them."
  type        = number
  default     = 1

  validation {
    condition     = var.tasks >= 1 && var.tasks <= 100 && floor(var.tasks) == var.tasks
    error_message = "A whole number from 1 to 100."
  }
}

variable "max_retries" {
  description = "How often a task that failed is tried again within its run. The next run takes up its work in any case."
  type        = number
  default     = 1

  validation {
    condition     = var.max_retries >= 0 && var.max_retries <= 10
    error_message = "0 to 10."
  }
}

variable "cpu" {
  description = "Processors of a task."
  type        = string
  default     = "1"

  validation {
    condition     = contains(["1", "2", "4"], var.cpu)
    error_message = "Must be 1, 2 or 4: a Node process does not use more."
  }
}

variable "memory" {
  description = "Memory of a task."
  type        = string
  default     = "1Gi"

  validation {
    condition     = can(regex("^[0-9]+(Mi|Gi)$", var.memory))
    error_message = "A size such as 512Mi or 1Gi."
  }
}

variable "network" {
  description = "Network and subnetwork that the job sends its private traffic through: for clusters that only have a private endpoint. null: none."
  type = object({
    network    = string
    subnetwork = string
  })
  default = null
}

# Where changes go.

variable "topic_retention_days" {
  description = "Days for which the topic keeps messages, so that a subscription can go back (or a new one begin) that far."
  type        = number
  default     = 7

  validation {
    condition     = var.topic_retention_days >= 1 && var.topic_retention_days <= 31
    error_message = "1 to 31 days."
  }
}

variable "subscriptions" {
  description = "Subscriptions by name, each with a filter over the attributes of changes (at most 256 bytes; \"\" for all changes) and the seconds a subscriber has to acknowledge. The filter of an existing one cannot be changed. The two here are examples: they go away after 31 days without a reader."
  type = map(object({
    filter               = optional(string, "")
    ack_deadline_seconds = optional(number, 60)
    expires              = optional(bool, true)
  }))
  default = {
    deletions = { filter = "attributes.ce-type = \"dev.knative.apiserver.resource.delete\"" }
    routes    = { filter = "attributes.ce-resource = \"httproutes.gateway.networking.k8s.io\"" }
  }

  validation {
    condition     = alltrue([for subscription in values(var.subscriptions) : length(subscription.filter) <= 256 && subscription.ack_deadline_seconds >= 10 && subscription.ack_deadline_seconds <= 600])
    error_message = "A filter has at most 256 bytes, and a subscriber 10 to 600 seconds to acknowledge."
  }
}

variable "max_delivery_attempts" {
  description = "After how many attempts a message that nobody acknowledges goes to the dead-letter topic."
  type        = number
  default     = 10

  validation {
    condition     = var.max_delivery_attempts >= 5 && var.max_delivery_attempts <= 100
    error_message = "5 to 100."
  }
}

variable "firestore_location" {
  description = "Location of the Firestore database, e.g. eur3 or europe-west1; it can never be changed. null: the region."
  type        = string
  default     = null
}

variable "protect_data" {
  description = "Whether the Firestore database refuses to be deleted, also by terraform destroy."
  type        = bool
  default     = true
}

# Who is told when something is wrong.

variable "notification_channels" {
  description = "Names of notification channels, projects/PROJECT/notificationChannels/ID, that alerts go to. Without one they are seen in the console only."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", name))])
    error_message = "Each must be projects/PROJECT/notificationChannels/ID, as gcloud beta monitoring channels list prints it."
  }
}

variable "lag_alert_seconds" {
  description = "A run that ends with a stream further behind its cluster than this raises an alert."
  type        = number
  default     = 900

  validation {
    condition     = var.lag_alert_seconds >= 60
    error_message = "At least 60 seconds."
  }
}

variable "failed_runs_alert" {
  description = "So many failed runs within an hour raise an alert."
  type        = number
  default     = 3

  validation {
    condition     = var.failed_runs_alert >= 1
    error_message = "At least 1."
  }
}
