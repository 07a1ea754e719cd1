"""Bytes over HTTP, beside GraphQL: files that come in and files that go out."""
