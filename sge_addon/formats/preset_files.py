# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's preset files, read without running them: lines such as ``sge.steps = 400``."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..core.errors import FitError
from ..core.setting_texts import split_texts
from ..core.settings import FitSettings

SUBFOLDER = "sge_fit"  # of Blender's folders of presets
BUNDLED = Path(__file__).resolve().parents[1] / "presets" / SUBFOLDER
POINTER = "sge"  # what settings are attributes of, in a preset


def find_preset(name: str, folders: Iterable[Path]) -> Path:
    """The file of the preset that Blender's menu shows as ``name``; case does not count, and hyphens and
    underscores stand for spaces. Raises FitError naming those that there are."""
    paths = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    for path in paths:
        if _plain(path.stem) == _plain(name):
            return path
    known = ", ".join(dict.fromkeys(path.stem.replace("_", " ") for path in paths))
    raise FitError(f"There is no preset '{name}' (there are: {known or 'none'}).")


def read_preset(path: Path) -> dict[str, Any]:
    """The settings that a preset sets, by field name. Raises FitError where it is not such a file."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise FitError(f"Preset '{path}' cannot be read: {error}.") from error
    values: dict[str, Any] = {}
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if not isinstance(node, ast.Assign) or not isinstance(target, ast.Attribute):
            continue
        if ast.unparse(target.value).rpartition(".")[2] == POINTER:
            values[target.attr] = _value(path, target.attr, node.value)
    return values


def _value(path: Path, name: str, node: ast.expr) -> Any:
    item = next((item for item in fields(FitSettings) if item.name == name), None)
    if item is None:
        raise FitError(f"Preset '{path}' sets '{name}', which is no setting: remove the line.")
    try:
        value = ast.literal_eval(node)
    except ValueError as error:
        raise FitError(f"Preset '{path}' sets {name} to '{ast.unparse(node)}', not to a value.") from error
    if isinstance(item.default, tuple) and isinstance(value, set):
        return tuple(choice for choice in item.metadata["choices"] if choice in value)
    if item.metadata["texts"] and isinstance(value, str):
        return split_texts(value)
    kind = float if isinstance(item.default, float) and isinstance(value, int) else type(value)
    value = kind(value)
    if type(value) is not type(item.default):
        raise FitError(f"Preset '{path}' sets {name} to {value!r}; it should be like {item.default!r}.")
    return value


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", " ").replace("_", " ")
