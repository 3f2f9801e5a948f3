"""What lists say of versions where a part of the registry cannot be read."""

import pytest
import registries
from memory_store import MemoryStore

from textclf.errors import StoreError
from textclf.metadata.versions import parse_version
from textclf.registry import layout
from textclf.registry.listing import read_marks
from textclf.registry.registry import Registry


class Failing(MemoryStore):
    """A store in which one folder cannot be listed."""

    broken = None

    def names(self, folder="", after=""):
        """See Store."""
        if folder == self.broken:
            raise StoreError(f"cannot list {folder}")
        return super().names(folder, after)


@pytest.mark.parametrize(
    ("broken", "channels", "tags"),
    [
        (layout.CHANNELS, {}, {"1.0.0": {"prod": "eu"}}),
        (layout.EVENTS, {"1.0.0": ["latest"]}, {}),
        (layout.PROMOTIONS, {}, {"1.0.0": {"prod": "eu"}}),
    ],
)
def test_what_cannot_be_listed_is_named_and_the_rest_is_there(broken, channels, tags):
    """Channels without tags, or tags without channels, and why."""
    store = Failing()
    registry = Registry(store)
    version = parse_version(registries.publish(registry).version)
    registry.promote(version)
    registry.tag(version, {"prod": "eu"})
    store.broken = broken
    marks = read_marks(Registry(store))
    assert (marks.channels, marks.tags) == (channels, tags)
    assert [str(problem) for problem in marks.problems] == [f"cannot list {broken}"]
