"""A figure before anything is drawn, and its files."""

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width_inch: float, height_inch: float, title: str, title_pt: float = 12) -> "Figure":
    """An empty figure with a title, if any, whose panels are laid out when it is drawn."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # A letter that the font lacks is drawn as a box; matplotlib would warn of each.
    warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
    figure = Figure(figsize=(width_inch, height_inch), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)  # texts are measured with it before anything is saved
    if title:
        figure.suptitle(title, fontsize=title_pt, fontweight="bold", parse_math=False)
    return figure


def draw_files(figure: "Figure", formats: Sequence[str]) -> dict[str, bytes]:
    """The figure by format (png, svg, pdf), byte for byte the same for the same data: without dates and random ids."""
    import matplotlib as mpl

    mpl.rcParams["svg.hashsalt"] = "zennet-latency"
    files = {}
    for format_ in formats:
        buffer = io.BytesIO()
        metadata = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[format_]
        figure.savefig(buffer, format=format_, metadata=metadata, dpi=figure.dpi)
        files[format_] = buffer.getvalue()
    return files
