"""What is recorded about a version, as values."""
