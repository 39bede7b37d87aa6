# The choices of the HTTP functions (functions.tf).

variable "policy_file" {
  description = "File with the policy of the HTTP functions (docs/functions.md), as seen from this folder. null: there are no functions."
  type        = string
  default     = null

  validation {
    condition     = var.policy_file == null ? true : fileexists(var.policy_file)
    error_message = "There is no such file."
  }
}

variable "functions" {
  description = "Whether the HTTP functions are made where there is a policy. They need the image of a first build."
  type        = bool
  default     = true
}

variable "callers" {
  description = "Who may reach the functions (as Cloud Run invokers), e.g. group:platform@example.com. What they get is for the policy to say."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.callers : can(regex("^(user|group|domain|serviceAccount|principal|principalSet):.+$", member))])
    error_message = "Each must be user:, group:, domain:, serviceAccount:, principal: or principalSet: and a name; allUsers and allAuthenticatedUsers are not accepted."
  }
}

variable "impersonated_service_accounts" {
  description = "Google service accounts whose tokens the function of tokens may get, where the policy grants them. It can act as no other."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for email in var.impersonated_service_accounts : can(regex("^[a-z0-9-]+@[a-z0-9-]+\\.iam\\.gserviceaccount\\.com$", email))])
    error_message = "Each must be NAME@PROJECT.iam.gserviceaccount.com."
  }
}

variable "functions_ingress" {
  description = "From where the functions are reached: internal (VPC networks of the project and its perimeter), internal-load-balancing (also an external load balancer) or all (the internet). IAM and the policy ask who it is in any case."
  type        = string
  default     = "internal"

  validation {
    condition     = contains(["internal", "internal-load-balancing", "all"], var.functions_ingress)
    error_message = "Must be internal, internal-load-balancing or all."
  }
}

variable "functions_options" {
  description = "More options of both functions by their environment variable, e.g. { MK8S_SERVE_ISSUERS = \"…\" }. They win over what is set here."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.functions_options) : startswith(name, "MK8S_") && name != "MK8S_SERVE_AS"])
    error_message = "Each name must be an option's environment variable, MK8S_…, and not MK8S_SERVE_AS: a function asks everyone who they are."
  }
}

variable "functions_max_instances" {
  description = "Most instances of each function. A caller's rate is counted in each."
  type        = number
  default     = 3

  validation {
    condition     = var.functions_max_instances >= 1 && var.functions_max_instances <= 100 && floor(var.functions_max_instances) == var.functions_max_instances
    error_message = "A whole number from 1 to 100."
  }
}

variable "functions_memory" {
  description = "Memory of an instance of a function."
  type        = string
  default     = "512Mi"

  validation {
    condition     = can(regex("^[0-9]+(Mi|Gi)$", var.functions_memory))
    error_message = "A size such as 512Mi or 1Gi."
  }
}

variable "denials_alert" {
  description = "More denied requests than this within 15 minutes raise an alert."
  type        = number
  default     = 100

  validation {
    condition     = var.denials_alert >= 1
    error_message = "At least 1."
  }
}
