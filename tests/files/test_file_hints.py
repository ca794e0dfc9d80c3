"""Hints: merged while nobody looks, bounded however many come, one wake-up for all."""

import threading

from nexaflow_cli.files.hints import Hints, HintSet, Left


class Woken:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def test_one_wake_up_until_the_hints_are_taken() -> None:
    woken = Woken()
    hints = HintSet(woken)
    hints.file("/a", closed=False)
    hints.file("/b", closed=True)
    hints.tree("/t")
    assert woken.times == 1
    assert hints.take()
    assert not hints.take()
    hints.folder("/f")
    assert woken.times == 2


def test_the_last_word_about_a_file_counts() -> None:
    hints = HintSet(lambda: None)
    hints.file("/written", closed=False)
    hints.file("/written", closed=True)
    hints.file("/reopened", closed=True)
    hints.file("/reopened", closed=False)
    assert hints.take().paths == {"/written": True, "/reopened": False}


def test_touching_a_closed_file_does_not_open_it() -> None:
    hints = HintSet(lambda: None)
    hints.file("/copied", closed=True)
    hints.touched("/copied")
    hints.touched("/touched")
    assert hints.take().paths == {"/copied": True, "/touched": False}


def test_both_halves_of_a_rename_carry_one_number() -> None:
    hints = HintSet(lambda: None)
    hints.left("/old", 7)
    hints.arrived("/new", 7)
    hints.left("/old-folder", 8, is_folder=True)
    hints.arrived("/new-folder", 8, is_folder=True)
    assert hints.take() == Hints(
        paths={"/new": True},
        leaving={"/old": Left(7), "/old-folder": Left(8, is_folder=True)},
        arrived=frozenset({7, 8}),
        trees=frozenset({"/new-folder"}),
    )


def test_too_many_files_become_their_folder() -> None:
    hints = HintSet(lambda: None, max_paths=3)
    for number in range(100):
        hints.file(f"/in/{number}", closed=True)
    hints.file("/in/1", closed=False)
    hints.file("/out/1", closed=True)
    taken = hints.take()
    assert taken.paths == {"/in/0": True, "/in/1": False, "/in/2": True}
    assert taken.folders == {"/in", "/out"}


def test_a_folder_that_left_without_room_is_still_looked_at() -> None:
    hints = HintSet(lambda: None, max_paths=1)
    hints.file("/a", closed=True)
    hints.left("/x/folder", 1, is_folder=True)
    assert hints.take().trees == {"/x/folder"}


def test_too_many_folders_become_everything() -> None:
    hints = HintSet(lambda: None, max_paths=1, max_folders=5)
    for number in range(100):
        hints.file(f"/{number}/a", closed=True)
        hints.tree(f"/tree/{number}")
    taken = hints.take()
    assert taken.trees == {"/"}
    assert taken.folders == frozenset()
    assert taken.paths == {"/0/a": True}


def test_what_lies_in_a_tree_needs_no_hint_of_its_own() -> None:
    hints = HintSet(lambda: None)
    hints.tree("/a")
    hints.tree("/a/b")
    hints.folder("/a/b/c")
    hints.tree("/ab")
    assert hints.take() == Hints(trees=frozenset({"/a", "/ab"}))


def test_no_hint_is_lost_between_threads() -> None:
    ready = threading.Event()
    hints = HintSet(ready.set)
    total, threads = 4 * 2_000, []
    for name in range(4):

        def work(name: int = name) -> None:
            for number in range(2_000):
                hints.file(f"/{name}/{number}", closed=True)

        threads.append(threading.Thread(target=work))
    for thread in threads:
        thread.start()
    seen: set[str] = set()
    while len(seen) < total:
        assert ready.wait(30)
        ready.clear()
        seen.update(hints.take().paths)
    for thread in threads:
        thread.join()
    assert not hints.take()
