# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception that carries a message for the person at the screen."""


class FitError(ValueError):
    """Bad input, said for people: which object, image or camera, what was found, what to do.

    The interface turns it into ``self.report({'ERROR'}, ...)``, the headless script into a
    message and exit code 2. Anything else that escapes is a defect of ours.
    """


class TargetLost(FitError):
    """What is being fitted was deleted, or changed so that results no longer belong to it."""
