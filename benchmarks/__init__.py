"""Side-by-side measurements of textclf and its rivals: ``python -m benchmarks --help``."""
