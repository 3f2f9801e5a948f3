"""Copies of versions in the registries of other tools, which textclf keeps up to date."""
