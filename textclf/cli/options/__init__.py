"""What commands are given: options, settings and input texts. May import ``cli.output``."""
