"""Train and test a model on a data set, and describe it in its metadata."""
