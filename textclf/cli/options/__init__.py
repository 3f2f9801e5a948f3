"""Options, arguments and settings that commands share."""
