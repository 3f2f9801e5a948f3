"""The compiled model: its file format, its reader, batches of texts, its writer."""
