"""A sweep that is ended while its records are written."""

from contextlib import contextmanager

import pytest

from bench.records import written as on_disk


@contextmanager
def cut_short(written):
    """What runs within must end with KeyboardInterrupt after so many of its records were written."""
    append = on_disk.append_lines

    def stop(path, documents):
        append(path, documents[:written])
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(on_disk, "append_lines", stop)
        yield
