"""What stops a sandbox before it runs."""


class CannotRun(SystemExit):
    """A reason not to go on; the message is one line that says what to do about it."""
