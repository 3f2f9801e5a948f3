"""Metrics of models, their confidence intervals, and comparisons of two versions."""
