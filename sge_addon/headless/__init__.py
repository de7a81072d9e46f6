# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fit without a window, or many: arguments, settings, fit, save, report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext

from ..command_line import parse
from ..core.errors import FitError
from .console import print_error, show_progress, warnings_as_notes
from .exit_codes import BAD_INPUT, INTERRUPTED
from .interruption import Interrupted, interruptible
from .silence import silenced_output

__all__ = ["main", "show_progress"]


def main(argv: Sequence[str]) -> int:
    """Run one fit, or those of --jobs, as the flags say; returns the exit code. Raises SystemExit from
    argparse only; any other exception that escapes is a failure (exit code 1 of the process)."""
    arguments = parse(argv)
    from ..scene.stored_settings import registered
    from .batch import run_jobs
    from .single_fit import run_single

    silence = silenced_output() if arguments.quiet else nullcontext()
    with silence, warnings_as_notes(), registered(), interruptible() as interruption:
        try:
            if arguments.jobs is not None:
                return run_jobs(arguments)
            return run_single(arguments, interruption)
        except FitError as error:
            print_error(error)
            return BAD_INPUT
        except Interrupted:
            print("interrupted before the fit began: nothing was written", file=sys.stderr)
            return INTERRUPTED
