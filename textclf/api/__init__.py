"""What Python programs call: train, publish, evaluate, compare, promote and look at versions.

The functions have the names and the settings of the command line, take texts and labels from
memory as well as from files, return frozen values, and never print. This folder imports whatever
it needs, except ``server`` and ``cli``.
"""
