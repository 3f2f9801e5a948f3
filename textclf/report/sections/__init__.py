"""The sections of a report, one in each file: about one version, and some also about two."""
