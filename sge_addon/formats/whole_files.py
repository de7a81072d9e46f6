# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON files that are there whole or not at all, whenever the process ends."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write an object; what the file held before stays until all of it is on disk. Raises OSError.

    What is no plain file (a pipe, a terminal), and what lies in a folder where no other file can be made, is
    written as it is.
    """
    text = json.dumps(values, indent=1) + "\n"
    path = path.resolve()  # what a link leads to, not the link, is replaced
    if (path.exists() and not path.is_file()) or not os.access(path.parent, os.W_OK):
        path.write_text(text, encoding="utf-8")
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
