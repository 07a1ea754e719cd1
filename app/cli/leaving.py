"""How does a process end that has used the object store?

Its library (obstore) keeps threads of its own, which for a moment after an operation still ask for the
interpreter's lock. One that asks while the interpreter is taken apart aborts the process (before Python
3.14): a command that did all its work would end with SIGABRT, one time in fifteen on a busy machine. So
what is due at the end is done, and then the process ends without taking the interpreter apart.
"""

import atexit
import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """A success whose output could not be written is none."""
    atexit._run_exitfuncs()  # as multiprocessing does: there is no public name for it
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # a full disk, or whoever read it has gone
            code = code or 1
    os._exit(code)
