"""Lines on stderr that name what takes long: on a busy machine they may be anywhere."""

import re

_SLOW = re.compile(
    r"^([a-z][a-z -]+: (\d+ min )?[\d.]+ s|compiling, once .*|[\d,]+ texts labelled, .*)\n",
    re.MULTILINE,
)


def without_slow_lines(text):
    """Return what a command says on a machine that is quick enough."""
    return _SLOW.sub("", text)
