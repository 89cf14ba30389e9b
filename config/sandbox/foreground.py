"""A program that owns the terminal while the supervised parts serve it."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from config.env import BASE_DIR
from config.sandbox.leash import leashed
from config.sandbox.supervisor import Interrupted

GOODBYE_SECONDS: Final = 60.0


def run_python(*words: str, environment: Mapping[str, str]) -> int:
    """Run Python with our terminal and return its status; it ends when we are told to."""
    return run([sys.executable, *words], environment=environment)


def run(command: Sequence[str], *, environment: Mapping[str, str]) -> int:
    """Run a command with our terminal and return its status."""
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=BASE_DIR,
        preexec_fn=leashed(signal.SIGKILL, own_session=False),  # noqa: PLW1509 - no threads
    )
    try:
        return process.wait()
    except Interrupted as asked:
        if asked.args[0] is not signal.SIGINT:  # the terminal gives Ctrl-C to both of us
            process.send_signal(signal.SIGINT)  # so that it cleans up
        return _last_words(process)


def _last_words(process: subprocess.Popen[bytes]) -> int:
    """Give the program time to clean up, then end it."""
    for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked, signal.SIG_IGN)
    try:
        return process.wait(timeout=GOODBYE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
