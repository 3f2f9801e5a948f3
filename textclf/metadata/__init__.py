"""What is recorded of a version, as values."""
