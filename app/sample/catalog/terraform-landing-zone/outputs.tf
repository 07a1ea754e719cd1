output "vpc_id" {
  value = module.network.vpc_id
}

output "private_subnet_ids" {
  value = module.network.private_subnet_ids
}

output "trail_bucket" {
  value = aws_s3_bucket.trail.bucket
}
