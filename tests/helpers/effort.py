"""How many random cases to try: some in every run, all of them in ``make test-thorough``."""

from hypothesis import settings


def cases(quick, thorough):
    """Return the number of random cases that the hypothesis profile asks for."""
    return thorough if settings.get_current_profile_name() == "thorough" else quick
