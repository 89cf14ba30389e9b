"""The six digits that an authenticator shows, with time left to type them."""

import time
from typing import Final

import pyotp

STEP_SECONDS: Final = 30
TYPING_SECONDS: Final = 3.0


def code_of(secret: str) -> str:
    """Return the code of now; near the end of its time, as people do, wait for the next."""
    left = STEP_SECONDS - time.time() % STEP_SECONDS
    if left < TYPING_SECONDS:
        time.sleep(left)
    return pyotp.TOTP(secret).now()
