"""Every known bug can still be planted, and the tests that must find it are there."""

import ast
from pathlib import Path

import pytest

from config.env import BASE_DIR
from tests.mutation.planting import Change, DoesNotApply, Plant, known_plants, planted, texts_with

PLANTS = known_plants()
# P9 is about sealing, which is not built.
WANTED = ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P10", "P11", "P12"]
FIRST = "CREATE FUNCTION told() AS $$\nBEGIN\n    RETURN 1;\nEND;\n$$;\n"
OTHER = "CREATE FUNCTION other() AS $$\nBEGIN\n    RETURN 1;\nEND;\n$$;\n"
GONE = "DROP FUNCTION gone();\n"
LATER = FIRST.replace("CREATE", "CREATE OR REPLACE")


def named(plant: Plant) -> str:
    return plant.name


@pytest.mark.parametrize("plant", PLANTS, ids=named)
def test_a_bug_can_be_planted_and_is_code_still(plant: Plant) -> None:
    for path, text in texts_with(plant.changes, tree=BASE_DIR).items():
        assert text != path.read_text()
        if path.suffix == ".py":
            compile(text, path, "exec")


@pytest.mark.parametrize("plant", PLANTS, ids=named)
def test_the_tests_that_must_find_it_are_there_and_run_with_the_suite(plant: Plant) -> None:
    assert plant.caught_by
    for test in plant.caught_by:
        file, _, name = test.partition("::")
        written = ast.parse((BASE_DIR / file).read_text()).body
        wanted = name.partition("[")[0]
        (found,) = [f for f in written if isinstance(f, ast.FunctionDef) and f.name == wanted]
        assert "mark.full" not in "".join(map(ast.unparse, found.decorator_list))


def test_every_bug_on_the_list_is_planted() -> None:
    assert [plant.name for plant in PLANTS if not plant.held_by] == WANTED


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a tree in which one function was written twice."""
    folder = tmp_path / "books" / "sql"
    folder.mkdir(parents=True)
    (folder / "0001_first.up.sql").write_text(FIRST + FIRST.replace("told", "gone"))
    (folder / "0002_later.up.sql").write_text(GONE + LATER + OTHER)
    return tmp_path


def test_a_function_is_changed_where_it_was_written_last_and_nowhere_else(tree: Path) -> None:
    change = Change(place="sql:told", old="RETURN 1", new="RETURN 2")
    (found,) = texts_with([change], tree=tree).items()
    later = tree / "books" / "sql" / "0002_later.up.sql"
    assert found == (later, GONE + LATER.replace("RETURN 1", "RETURN 2") + OTHER)


def test_two_changes_in_one_place_meet_there(tree: Path) -> None:
    changes = [
        Change(place="sql:told", old="RETURN 1", new="RETURN 22"),
        Change(place="sql:told", old="RETURN 22", new="RETURN 3"),
        Change(place="sql:other", old="RETURN 1", new="RETURN 4"),
    ]
    (text,) = texts_with(changes, tree=tree).values()
    assert [line for line in text.splitlines() if "RETURN" in line] == [
        "    RETURN 3;",
        "    RETURN 4;",
    ]


@pytest.mark.parametrize(
    ("place", "old"),
    [
        ("sql:told", "RETURN 5"),
        ("sql:untold", "RETURN 1"),
        ("sql:gone", "RETURN 1"),
        ("books/nowhere.py", "RETURN 1"),
        ("books/sql/0002_later.up.sql", "RETURN 1"),
    ],
)
def test_a_text_that_is_gone_or_there_twice_is_a_loud_failure(
    tree: Path, place: str, old: str
) -> None:
    with pytest.raises(DoesNotApply):
        texts_with([Change(place=place, old=old, new="")], tree=tree)


def test_the_tree_is_as_it_was_when_the_bug_is_out_again(tree: Path) -> None:
    path = tree / "books" / "sql" / "0002_later.up.sql"
    before = path.read_text()
    with planted([Change(place="sql:told", old="RETURN 1", new="RETURN 2")], tree=tree):
        assert path.read_text() == before.replace("RETURN 1", "RETURN 2", 1)
    assert path.read_text() == before
