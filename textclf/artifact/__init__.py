"""A fitted pipeline as bytes and back, safely."""
