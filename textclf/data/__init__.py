"""Files of labelled rows, read into a `Dataset`, with a reason for every row refused."""
