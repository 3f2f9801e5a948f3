"""The commands, a file for each verb. They may import everything except each other."""
