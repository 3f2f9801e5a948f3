"""Train, version, compare, promote and serve text classifiers."""

__version__ = "0.1.0"
