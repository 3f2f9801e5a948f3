"""Train, publish, judge and promote, as one flow that returns values."""
