"""Versions, the promotion log and the alias."""
