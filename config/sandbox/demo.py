"""Tells the stories of a provider's good and bad days to a running sandbox, and reads the books.

`main()` prints a table and returns 0, or 1 when a story did not end as told. Every run is fresh:
its ids follow from a seed that it draws and prints.
"""

import json
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import django
from django.utils import timezone

from audit.typeids import parse_typeid
from config import env
from config.sandbox.stories import STORIES, Delivery, Telling, Templates, build
from config.sandbox.stories.postman import Postman, Undelivered

DRAIN_SECONDS_MAX: Final = 60.0
POLL_SECONDS: Final = 0.2
TAKEN: Final = range(200, 300)
REFUSED: Final = 401
YEN: Final = "JPY"
YEN_STORY: Final = "zero_decimal_currency"


def main() -> int:
    """Tell every story to the sandbox of this directory; return 1 if one ends otherwise."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.sandbox")
    django.setup()
    credentials = _credentials()
    seed = os.environ.get("DEMO_SEED") or secrets.token_hex(4)
    accounts = _accounts(credentials)
    postman = _postman(credentials)
    print(f"Telling {len(STORIES)} stories to {postman.endpoint} (DEMO_SEED={seed})\n")
    wrong = [
        name for name in STORIES if not _tell(name, seed=seed, accounts=accounts, postman=postman)
    ]
    if wrong:
        print(f"{len(wrong)} of {len(STORIES)} stories did not end as told: {', '.join(wrong)}")
        return 1
    print(f"All {len(STORIES)} stories ended as told.")
    return 0


def _tell(name: str, *, seed: str, accounts: Mapping[str, str], postman: Postman) -> bool:
    """Tell one story and print it; say whether it ended as told."""
    telling = _built(name, seed=seed, accounts=accounts)
    answers = [postman.deliver(delivery) for delivery in telling.deliveries]
    wrong = _wrong_answers(telling.deliveries, answers)
    wrong += _differences(telling)
    _print(telling, answers=answers, wrong=wrong)
    return not wrong


def _built(name: str, *, seed: str, accounts: Mapping[str, str]) -> Telling:
    """Build a story for an account of ours; yen without a yen account belong to nobody."""
    currency = YEN if name == YEN_STORY else next(each for each in accounts if each != YEN)
    return build(
        name,
        seed=seed,
        account=accounts.get(currency),
        now=timezone.now(),
        currency=currency.lower(),
        templates=Templates(_recorded()),
    )


def _wrong_answers(deliveries: Sequence[Delivery], answers: Sequence[int]) -> list[str]:
    return [
        f"{delivery.event_type} was answered {answer}"
        for delivery, answer in zip(deliveries, answers, strict=True)
        if (answer != REFUSED if delivery.is_refused else answer not in TAKEN)
    ]


def _differences(telling: Telling) -> list[str]:
    """Wait until the inbox has worked the story off, then compare the books with its ending."""
    from config.sandbox.stories import books  # noqa: PLC0415 - its models need Django set up

    deadline = time.monotonic() + DRAIN_SECONDS_MAX
    while not books.is_drained(telling.ending):
        if time.monotonic() > deadline:
            break  # the differences say what is still waiting
        time.sleep(POLL_SECONDS)
    return books.differences(telling.ending)


def _print(telling: Telling, *, answers: Sequence[int], wrong: Sequence[str]) -> None:
    """Print one row of the table: the story, what was sent, the answers, the books."""
    from config.sandbox.stories import books  # noqa: PLC0415 - its models need Django set up

    sent = [
        delivery.event_type if not delivery.is_refused else delivery.seal.value
        for delivery in telling.deliveries
    ]
    fates = Counter(fate.value for fate in telling.ending.fates.values())
    rows = {
        "sent": _counted(sent),
        "answered": _counted([str(answer) for answer in answers]),
        "inbox": ", ".join(f"{count} {fate}" for fate, count in fates.items()),
        "books": "; ".join(books.lines_of(telling.ending)) or "nothing moved",
    }
    print(f"{'✗' if wrong else '✓'} {telling.title}")
    for name, text in rows.items():
        print(f"    {name:9} {text}")
    for each in wrong:
        print(f"    WRONG     {each}")
    print(flush=True)


def _counted(words: Sequence[str]) -> str:
    """Return the words in order, those that repeat with how often."""
    return ", ".join(
        word if count == 1 else f"{count} x {word}" for word, count in Counter(words).items()
    )


def _credentials() -> Mapping[str, Any]:
    """Return what the sandbox wrote down for scripts, or stop with one line."""
    path = Path(os.environ.get("SANDBOX") or env.SANDBOX_DIR) / "credentials.json"
    try:
        found: Mapping[str, Any] = json.loads(path.read_text())
    except OSError:
        raise Undelivered(
            f"{path} cannot be read: start a sandbox with `make run` and wait until it is ready"
        ) from None
    return found


def _postman(credentials: Mapping[str, Any]) -> Postman:
    stripe, held = credentials["providers"]["stripe"], env.read("console")
    return Postman(
        endpoint=stripe["endpoint"],
        secret=stripe["secret"],
        stripe_url=held.stripe_api_url,
        stripe_key=held.stripe_api_key,
    )


def _accounts(credentials: Mapping[str, Any]) -> dict[str, str]:
    """Return one account of the first partner for each currency it has any in."""
    from config.sandbox.stories import books  # noqa: PLC0415 - its models need Django set up

    listed = credentials["partners"][0]["accounts"]
    named = [each if isinstance(each, str) else each["id"] for each in listed]
    keys = {str(parse_typeid("acc", each)): each for each in named}
    chosen: dict[str, str] = {}
    for key, currency in books.currencies_of(list(keys)).items():
        chosen.setdefault(currency, keys[key])
    if not set(chosen) - {YEN}:
        raise Undelivered("the first partner has no account to charge for: `make reset`")
    return chosen


def _recorded() -> Path | None:
    """Return the folder of recorded samples, or None where there is none."""
    named = os.environ.get("SAMPLES_DIR")
    folder = Path(named) if named else env.BASE_DIR.parent / "shared" / "data"
    return folder if (folder / "01_stripe").is_dir() else None


if __name__ == "__main__":
    sys.exit(main())
