"""Solvers of linear support vector machines."""
