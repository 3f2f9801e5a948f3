"""What a person reads about a version: a page (HTML), a model card (Markdown), and their data."""
