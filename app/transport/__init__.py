"""GraphQL over HTTP and what stands around it; knows nothing of the business."""
