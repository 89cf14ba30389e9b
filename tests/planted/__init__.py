"""T12's corruptions: what is done to the tables of a scene, and who must say so.

They are an administrator's: triggers and constraints are taken off first. `{…}` are ids of the
scene; the names are those of the invariants that must be broken, all of them and no others.
"""

from typing import Final

from tests.planted.books import BOOKS
from tests.planted.signatures import SIGNATURES
from tests.planted.stops import STOPS
from tests.planted.witness import WITNESS

PLANTED: Final = BOOKS | STOPS | WITNESS | SIGNATURES
