variable "name" {
  description = "Prefix of all names."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}$", var.name))
    error_message = "Use 3 to 31 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "owner" {
  description = "Who answers questions about this account."
  type        = string
}

variable "environment" {
  description = "dev, stage or prod."
  type        = string
  validation {
    condition     = contains(["dev", "stage", "prod"], var.environment)
    error_message = "The environment is dev, stage or prod."
  }
}

variable "budget_usd" {
  description = "Monthly limit in US dollars."
  type        = number
  default     = 500
}

variable "alert_email" {
  description = "Who is told about costs."
  type        = string
}
