"""What commands print: a renderer for each kind of answer. Imports no commands and no options."""
