"""The ledger: from two looks at the disk to what happened in between."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nexaflow_cli.files.ledger import Change, Known, Seen, applied, changes

A, B, C = Seen(1, 10, 100), Seen(2, 20, 200), Seen(3, 30, 300)


def known(**files: Seen) -> dict[str, Known]:
    return {f"/{name}": Known(*seen) for name, seen in files.items()}


@pytest.mark.parametrize(
    ("before", "seen", "expected"),
    [
        pytest.param({}, {"/a": A}, [Change("created", "/a", A)], id="new"),
        pytest.param(known(a=A), {"/a": A}, [], id="unchanged"),
        pytest.param(known(a=A), {"/a": None}, [Change("deleted", "/a", None)], id="gone"),
        pytest.param({}, {"/a": None}, [], id="never there"),
        pytest.param(known(a=A), {}, [], id="not looked at"),
        pytest.param(
            known(a=A),
            {"/a": Seen(1, 11, 101)},
            [Change("updated", "/a", Seen(1, 11, 101))],
            id="written in place",
        ),
        pytest.param(known(a=A), {"/a": B}, [Change("updated", "/a", B)], id="atomically replaced"),
        pytest.param(
            known(a=A),
            {"/a": Seen(1, 10, 101)},
            [Change("updated", "/a", Seen(1, 10, 101), touched=True)],
            id="only the time differs",
        ),
        pytest.param(
            known(a=A),
            {"/a": None, "/b": A},
            [Change("moved", "/b", A, previous_path="/a")],
            id="moved",
        ),
        pytest.param(
            known(a=A, b=B),
            {"/a": None, "/b": A},
            [Change("deleted", "/a", None), Change("updated", "/b", A)],
            id="moved over another",
        ),
        pytest.param(
            known(a=A),
            {"/a": None, "/b": Seen(1, 10, 999)},
            [Change("created", "/b", Seen(1, 10, 999)), Change("deleted", "/a", None)],
            id="inode used again",
        ),
        pytest.param(
            known(a=A, b=A),
            {"/a": None, "/b": None, "/c": A},
            [Change("deleted", "/b", None), Change("moved", "/c", A, previous_path="/a")],
            id="one of two hard links moved",
        ),
        pytest.param(
            known(a=A), {"/a": A, "/b": A}, [Change("created", "/b", A)], id="a hard link made"
        ),
        pytest.param(
            known(a=A, b=B),
            {"/a": B, "/b": A},
            [Change("updated", "/a", B), Change("updated", "/b", A)],
            id="swapped",
        ),
    ],
)
def test_what_happened(
    before: dict[str, Known], seen: dict[str, Seen | None], expected: list[Change]
) -> None:
    assert sorted(changes(before, seen), key=str) == sorted(expected, key=str)


def test_changes_come_in_the_order_of_their_paths() -> None:
    seen = {"/c": C, "/a": A, "/b": B}
    assert [change.path for change in changes({}, seen)] == ["/a", "/b", "/c"]


def test_a_digest_outlives_a_move_only() -> None:
    before = {"/a": Known(*A, "sha"), "/b": Known(*B, "other")}
    after = applied(before, changes(before, {"/a": None, "/c": A, "/b": C}))
    assert after == {"/c": Known(*A, "sha"), "/b": Known(*C, None)}


paths = st.sampled_from([f"/{name}" for name in "abcdef"])
looks = st.builds(Seen, st.integers(1, 4), st.integers(0, 2), st.integers(0, 2))
records = st.dictionaries(paths, looks.map(lambda seen: Known(*seen)))
observations = st.dictionaries(paths, st.none() | looks)


@settings(deadline=None)
@given(records, observations)
def test_applying_the_changes_gives_what_was_seen(
    before: dict[str, Known], seen: dict[str, Seen | None]
) -> None:
    after = applied(before, changes(before, seen))
    for path in before.keys() | seen.keys():
        wanted = seen[path] if path in seen else before[path].seen
        assert (after[path].seen if path in after else None) == wanted


@settings(deadline=None)
@given(records, observations)
def test_looking_again_finds_nothing_new(
    before: dict[str, Known], seen: dict[str, Seen | None]
) -> None:
    after = applied(before, changes(before, seen))
    assert changes(after, seen) == []


@settings(deadline=None)
@given(records, observations)
def test_each_path_is_spoken_of_once(
    before: dict[str, Known], seen: dict[str, Seen | None]
) -> None:
    made = changes(before, seen)
    named = [change.path for change in made]
    named += [change.previous_path for change in made if change.previous_path is not None]
    assert len(named) == len(set(named))
    assert all((change.kind == "deleted") == (change.seen is None) for change in made)
    assert all((change.kind == "moved") == (change.previous_path is not None) for change in made)
