"""The version of this program; that of a model is in `textclf.metadata.versions`."""

__version__ = "0.1.0"
