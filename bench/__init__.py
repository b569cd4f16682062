"""How it is measured: the protocol, the one measuring loop, records, and the sweep."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def load(results: str | Path = "results") -> "pd.DataFrame":
    """The records of a results folder or of one `*.jsonl` file as a pandas DataFrame, one row each.

    Times are of one image, in milliseconds, with the 95 % interval. Raises UserError where there is nothing to read.
    """
    from bench.frame import frame

    return frame(Path(results))
