"""Strawberry as most people write it: ORM entities, dataloaders, a resolver for each field that needs one."""
