"""The parts of a report: each file is one, about a version, and where it says more, about two."""
