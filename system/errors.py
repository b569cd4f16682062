"""The one family of errors that a user can cause; everything else is a bug and keeps its traceback."""


class UserError(Exception):
    """One line that says what is wrong, what was found and what to do about it."""

    def __init__(self, wrong: str, *, found: str, fix: str) -> None:
        super().__init__(f"{wrong}: {found}; {fix}")


def one_line(text: object, limit: int = 300) -> str:
    """`text` on one line, so that a foreign message fits into an error or a table cell."""
    line = " ".join(str(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
