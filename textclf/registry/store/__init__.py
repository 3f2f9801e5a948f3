"""Places to keep files, and the protocol the registry talks to them by."""
