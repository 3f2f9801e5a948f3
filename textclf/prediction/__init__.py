"""Texts in, labels out."""
