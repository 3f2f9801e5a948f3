"""Candidates × folds: fit and score them, and find the best."""
