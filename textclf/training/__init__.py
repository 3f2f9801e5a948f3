"""A data set in, a trained and tested model with its metadata out."""
