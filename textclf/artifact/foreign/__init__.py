"""Pipelines that were fitted outside of textclf: what they are, and the same in textclf's form."""
