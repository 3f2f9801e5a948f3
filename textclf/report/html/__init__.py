"""HTML and SVG elements of the report."""
