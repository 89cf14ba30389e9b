"""docs/LEDGER.md says what the commands really do: its examples are played, and compared."""

import pytest

from config.env import BASE_DIR
from tests.books import assert_books_hold
from tests.examples.document import blocks_of, rewritten
from tests.examples.ledger import EXAMPLES
from tests.examples.scene import Scene
from tests.factories import committed

__all__ = ["committed"]
pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.role("migrator")]
DOCUMENT = BASE_DIR / "docs" / "LEDGER.md"


def test_every_example_is_in_the_document_and_no_block_is_made_up() -> None:
    assert blocks_of(DOCUMENT.read_text()).keys() == EXAMPLES.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_document_says_what_happens(name: str, pytestconfig: pytest.Config) -> None:
    scene = Scene()
    EXAMPLES[name](scene)
    text = DOCUMENT.read_text()
    if pytestconfig.getoption("--write-examples"):
        DOCUMENT.write_text(rewritten(text, said={name: scene.said}))
        return
    assert scene.said == blocks_of(text)[name], "if this is as it should be: make examples"


def test_the_books_hold_after_all_of_it() -> None:
    assert_books_hold()


def test_an_example_says_the_same_each_time() -> None:
    first, second = Scene(), Scene()
    for scene in (first, second):
        EXAMPLES["internal_transfer"](scene)
    assert first.said == second.said


def test_a_document_that_says_something_else_is_noticed_and_mended() -> None:
    text = DOCUMENT.read_text()
    said = blocks_of(text)["internal_transfer"]
    bent = text.replace(said, said.replace("10.00", "10.01"), 1)
    assert blocks_of(bent)["internal_transfer"] != said
    assert rewritten(bent, said={"internal_transfer": said}) == text
