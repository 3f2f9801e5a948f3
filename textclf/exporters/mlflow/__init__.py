"""MLflow as a mirror of a registry: runs, registered models and their aliases.

MLflow is imported by ``client`` alone, and only when a connection is made.
"""
