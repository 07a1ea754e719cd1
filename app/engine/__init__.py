"""How a GraphQL document becomes something safe to execute; knows nothing of the business."""
