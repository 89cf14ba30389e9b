"""Stories of a provider's good and bad days, told to a running house by `make demo`.

Pure builders: the same seed, account and instant make the same bytes, so that tests reuse them.
"""

from config.sandbox.stories.tales import STORIES, build
from config.sandbox.stories.telling import Booked, Delivery, Ending, Fate, Seal, Telling
from config.sandbox.stories.templates import Templates

__all__ = [
    "STORIES",
    "Booked",
    "Delivery",
    "Ending",
    "Fate",
    "Seal",
    "Telling",
    "Templates",
    "build",
]
