"""Many that start together, each on a connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import Error, connection

from audit.constraints import broken_rule
from audit.errors import Refusal

SECONDS_MAX = 60


def at_once(acts: Sequence[Callable[[], object]]) -> list[str]:
    """Run the acts in threads that start together; return what each was told.

    That is `done`, the code of a refusal, or the name of the rule the database held.
    """
    together = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        connection.ensure_connection()
        together.wait(timeout=SECONDS_MAX)
        try:
            act()
        except Refusal as refused:
            return refused.code
        except Error as error:
            return broken_rule(error)
        else:
            return "done"
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(acts)) as pool:
        return list(pool.map(run, acts))
