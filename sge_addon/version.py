# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's version, read from its manifest: the only place where it is written down."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@cache
def version() -> str:
    """The version as in ``blender_manifest.toml``, such as "0.1.0".

    Installed, the manifest lies in the package's folder; in the repository one level above.
    """
    manifest = _PACKAGE / "blender_manifest.toml"
    if not manifest.is_file():
        manifest = _PACKAGE.parent / "blender_manifest.toml"
    with manifest.open("rb") as file:
        return str(tomllib.load(file)["version"])
