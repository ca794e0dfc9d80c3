"""Settling: nobody looks at a file before it is worth it, and everybody gets their look."""

from hypothesis import given, settings
from hypothesis import strategies as st

from nexaflow_cli.files.hints import Hints, Left
from nexaflow_cli.files.ledger import Seen
from nexaflow_cli.files.settle import Look, Settle, is_young


def paths(**states: bool) -> Hints:
    return Hints(paths={f"/{name}": closed for name, closed in states.items()})


def test_a_closed_file_is_due_at_once_and_only_once() -> None:
    settle = Settle()
    settle.add(paths(a=True), now=10.0)
    assert settle.next_due() == float("-inf")
    assert settle.due(10.0) == Look(paths=("/a",))
    assert not settle.due(10.0)
    assert settle.next_due() is None


def test_an_open_file_is_due_when_it_has_been_quiet() -> None:
    settle = Settle(1.0)
    settle.add(paths(a=False), now=10.0)
    settle.add(paths(a=False), now=10.6)
    assert settle.next_due() == 11.6
    assert not settle.due(11.5)
    assert settle.due(11.6) == Look(paths=("/a",))


def test_closing_ends_the_wait_and_writing_again_begins_one() -> None:
    settle = Settle(1.0)
    settle.add(paths(a=False), now=10.0)
    settle.add(paths(a=True), now=10.1)
    assert settle.due(10.1) == Look(paths=("/a",))
    settle.add(paths(a=True), now=10.2)
    settle.add(paths(a=False), now=10.2)
    assert not settle.due(10.2)
    assert settle.due(11.2) == Look(paths=("/a",))


def test_a_rename_is_looked_at_as_one() -> None:
    settle = Settle(pair_seconds=0.05)
    settle.add(Hints(leaving={"/old": Left(7)}), now=10.0)
    assert not settle.due(10.0)
    assert settle.next_due() == 10.05
    settle.add(Hints(paths={"/new": True}, arrived=frozenset({7})), now=10.01)
    assert set(settle.due(10.01).paths) == {"/old", "/new"}


def test_a_file_that_was_moved_away_is_not_waited_for_long() -> None:
    settle = Settle(pair_seconds=0.05)
    settle.add(Hints(leaving={"/old": Left(7), "/dir": Left(8, is_folder=True)}), now=10.0)
    assert settle.due(10.05) == Look(paths=("/old",), trees=("/dir",))


def test_a_renamed_folder_brings_both_of_its_places() -> None:
    settle = Settle()
    settle.add(Hints(leaving={"/old": Left(7, is_folder=True)}), now=10.0)
    settle.add(Hints(trees=frozenset({"/new"}), arrived=frozenset({7})), now=10.0)
    assert set(settle.due(10.0).trees) == {"/old", "/new"}


def test_everything_is_not_scanned_again_and_again() -> None:
    settle = Settle(full_gap=2.0)
    everything = Hints(trees=frozenset({"/"}), folders=frozenset({"/f"}))
    settle.add(everything, now=10.0)
    assert settle.due(10.0) == Look(trees=("/",))
    settle.add(Hints(trees=frozenset({"/"})), now=10.5)
    settle.add(Hints(trees=frozenset({"/t"})), now=10.6)
    assert settle.due(10.6) == Look(trees=("/t",))
    assert settle.next_due() == 12.0
    assert settle.due(12.0) == Look(trees=("/",))


def test_too_many_open_files_are_watched_by_their_folder() -> None:
    settle = Settle(1.0, max_paths=2)
    settle.defer([f"/in/{number}" for number in range(50)], now=10.0)
    assert settle.due(11.0) == Look(paths=("/in/0", "/in/1"), folders=("/in",))


def test_a_young_file_may_still_be_written() -> None:
    def at(seconds: float) -> Seen:
        return Seen(1, 1, int(seconds * 1e9))

    assert is_young(at(99.5), 100.0)
    assert is_young(at(100.3), 100.0)
    assert not is_young(at(98.9), 100.0)
    assert not is_young(at(4_000_000_000.0), 100.0)


names = st.sampled_from("abc")
steps = st.lists(
    st.tuples(
        st.floats(0, 0.7),
        st.dictionaries(names.map(lambda name: f"/{name}"), st.booleans(), max_size=3),
        st.dictionaries(
            names.map(lambda name: f"/{name}"),
            st.builds(Left, st.integers(0, 3), st.just(False)),
            max_size=2,
        ),
        st.frozensets(st.integers(0, 3), max_size=2),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(steps)
def test_every_hint_leads_to_a_look_that_is_not_earlier(
    story: list[tuple[float, dict[str, bool], dict[str, Left], frozenset[int]]],
) -> None:
    settle, now = Settle(1.0), 100.0
    hinted: dict[str, float] = {}
    looked: dict[str, float] = {}
    for pause, files, leaving, arrived in story:
        now += pause
        settle.add(Hints(paths=files, leaving=leaving, arrived=arrived), now)
        hinted.update(dict.fromkeys([*files, *leaving], now))
        looked.update(dict.fromkeys(settle.due(now).paths, now))
    while (due := settle.next_due()) is not None:
        assert due <= now + 1.0
        now = max(now, due)
        looked.update(dict.fromkeys(settle.due(now).paths, now))
    assert looked.keys() == hinted.keys()
    assert all(looked[path] >= hinted[path] for path in hinted)
