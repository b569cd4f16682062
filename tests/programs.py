"""Programs that tests write: files that a system starts."""

import sys


def write_program(path, source):
    """A program of this Python at a path, from source; its folder may be one with blanks, which `#!` can't name."""
    path.write_text(f"""#!/bin/sh
'''exec' "{sys.executable}" "$0" "$@"
' '''
{source}""")
    path.chmod(0o755)
    return path
