# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Silence on standard output, also for what Blender prints from C."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

STDOUT = 1  # file descriptor


@contextmanager
def silenced_output() -> Iterator[None]:
    """Within it, nothing reaches standard output; standard error stays."""
    _flush()
    kept = os.dup(STDOUT)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), STDOUT)
        try:
            with redirect_stdout(nowhere):  # which need not lead to the descriptor
                yield
        finally:
            _flush()
            os.dup2(kept, STDOUT)
            os.close(kept)


def _flush() -> None:
    """Also C's own buffer: what lies in it would appear wherever the descriptor then leads."""
    sys.stdout.flush()
    ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None).fflush(None)
