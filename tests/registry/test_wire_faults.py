"""A registry on SeaweedFS, where the answer to one request is dropped or cut on its way.

The server has done what it was asked, obstore sends the request again, and the server says then
that the key exists. ``make test`` runs one operation, ``make test-faults`` all (marked ``faults``).
"""

from datetime import timedelta

import pytest
from cloud_servers import s3_environment
from faulty_bucket import contents
from faulty_proxy import proxy
from object_operations import OPERATIONS, violations

from textclf.errors import StoreError
from textclf.registry.registry import Registry
from textclf.registry.store.object_store import ObjectStore
from textclf.registry.verification import verify

CUTS = {"dropped": 0, "cut in its head": 20}
QUICK = "tag"
GROWTH = {"publish": 1, "import": 1, "prune": -1}
"""The number of versions that an operation adds."""


@pytest.fixture(scope="module")
def wire(seaweedfs):
    """Return the bucket, the bucket through the proxy, and what goes wrong there."""
    from obstore.store import S3Store

    port = int(seaweedfs.environment["AWS_ENDPOINT_URL"].rpartition(":")[2])
    with proxy(port) as (proxy_port, faults):
        config = {k.lower(): v for k, v in s3_environment(proxy_port).items()}
        pause = {"init_backoff": timedelta(milliseconds=1), "base": 2}
        bucket = S3Store("bucket1", config=config, retry_config={"backoff": pause})
        yield seaweedfs, bucket, faults


CASES = [
    pytest.param(operation, cut, marks=[pytest.mark.faults] * (operation != QUICK))
    for operation in OPERATIONS
    for cut in CUTS
]


@pytest.mark.parametrize(("operation", "cut"), CASES)
def test_no_answer_that_is_lost_loses_anything(wire, operation, cut):
    """The operation succeeds, once, whichever answer does not arrive."""
    cloud, through_proxy, faults = wire
    setup, act = OPERATIONS[operation]
    objects, struck, sent = cloud.objects(), 0, 1
    while struck < sent:
        prefix = cloud.new_prefix()
        for key, data in setup().items():
            objects.put(f"{prefix}/{key}", data)
        before = Registry(ObjectStore(objects, prefix, "test://plain"))
        known, records = len(before.versions()), len(before.history())
        faults.reset(at=[struck + 1], keep=CUTS[cut])
        act(Registry(ObjectStore(through_proxy, prefix, "test://wire")))
        sent = len(faults.requests)
        faults.reset()
        assert list(violations(contents(objects, prefix))) == [], struck
        after = Registry(ObjectStore(objects, prefix, "test://plain"))
        assert len(after.versions()) - known == GROWTH.get(operation, 0)
        assert len(after.history()) - records == (operation in ("promote", "rollback"))
        assert verify(after).ok
        struck += 1
    assert struck >= 8


def test_content_that_is_cut_on_its_way_is_not_taken_for_all(wire):
    """A file of which a part arrives is read again, or is an error; it is never the part."""
    cloud, through_proxy, faults = wire
    prefix, data = cloud.new_prefix(), b"0123456789" * 50_000
    cloud.objects().put(f"{prefix}/model", data)
    store = ObjectStore(through_proxy, prefix, "test://wire")
    for keep in (100, 1_000, 100_000, len(data)):
        faults.reset(at=[1], keep=keep)
        try:
            assert store.read("model") == data
        except StoreError as error:
            assert str(error).startswith("cannot read test://wire/model: ")  # noqa: PT017 - or not
        faults.reset()
        assert store.read("model") == data
