"""Lets the documents' examples be written anew: `make examples`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the word that turns comparing into writing."""
    parser.addoption("--write-examples", action="store_true", help="write what the examples say")
