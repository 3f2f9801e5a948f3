"""Reports on versions for people: an HTML page, a model card in Markdown, and their data."""
