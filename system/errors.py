"""The one family of errors that a user can cause; everything else is a bug and keeps its traceback."""


class UserError(Exception):
    """One line that says what is wrong, what was found and what to do about it.

    What it quotes may come from outside: whatever would break the line, or a terminal would obey, is escaped.
    """

    def __init__(self, wrong: str, *, found: str, fix: str) -> None:
        super().__init__(printable(f"{wrong}: {found}; {fix}"))


def one_line(text: object, limit: int = 300) -> str:
    """`text` on one line, so that a foreign message fits into an error or a table cell."""
    line = " ".join(str(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def printable(text: str) -> str:
    """`text` on one line that any encoding of Unicode takes: line feeds, and bytes of a file's name that are no text,
    escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
