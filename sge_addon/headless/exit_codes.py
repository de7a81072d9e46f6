# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the process ends with."""

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
