# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A layout that records what panels draw, and refuses what Blender's own would complain of."""

from __future__ import annotations

import types
from typing import Any

import bpy

METHODS = bpy.types.UILayout.bl_rna.functions
ICONS = set(METHODS["label"].parameters["icon"].enum_items.keys())


class RecordedLayout:
    """Stands in for bpy.types.UILayout. properties: (type of the data, name) drawn by prop and its like.
    choices: (name of an enumeration, its item) drawn one by one. texts: of labels and buttons.
    operators: (idname, the properties set)."""

    def __init__(self, parent: RecordedLayout | None = None) -> None:
        self.properties: list[tuple[str, str]] = parent.properties if parent else []
        self.choices: list[tuple[str, str]] = parent.choices if parent else []
        self.texts: list[str] = parent.texts if parent else []
        self.operators: list[tuple[str, types.SimpleNamespace]] = parent.operators if parent else []

    def _note(self, method: str, options: dict[str, Any]) -> None:
        # Python adds some on top of what RNA lists.
        known = {*METHODS[method].parameters.keys(), "text", "icon", "translate", "text_ctxt", "heading"}
        assert set(options) <= known, (method, options)
        assert options.get("icon", "NONE") in ICONS, options["icon"]
        if options.get("text"):
            self.texts.append(options["text"])

    def _group(self, method: str, options: dict[str, Any]) -> RecordedLayout:
        self._note(method, options)
        return RecordedLayout(self)

    def row(self, **options: Any) -> RecordedLayout:
        return self._group("row", options)

    def split(self, **options: Any) -> RecordedLayout:
        return self._group("split", options)

    def column(self, **options: Any) -> RecordedLayout:
        return self._group("column", options)

    def box(self) -> RecordedLayout:
        return self._group("box", {})

    def separator(self, **options: Any) -> None:
        self._note("separator", options)

    def label(self, **options: Any) -> None:
        self._note("label", options)

    def progress(self, **options: Any) -> None:
        self._note("progress", options)

    def popover(self, panel: str, **options: Any) -> None:
        assert hasattr(bpy.types, panel), panel
        self._note("popover", options)

    def template_icon(self, **options: Any) -> None:
        self._note("template_icon", options)

    def template_list(self, kind: str, _id: str, data: Any, name: str, *_rest: Any, **options: Any) -> None:
        assert hasattr(bpy.types, kind), kind
        self._property(data, name)

    def prop(self, data: Any, name: str, **options: Any) -> None:
        self._note("prop", options)
        self._property(data, name)

    def prop_enum(self, data: Any, name: str, value: str, **options: Any) -> None:
        self._note("prop_enum", options)
        assert value in data.bl_rna.properties[name].enum_items, value
        if all(drawn != name for drawn, _ in self.choices):
            self._property(data, name)
        self.choices.append((name, value))

    def prop_search(self, data: Any, name: str, source: Any, items: str, **options: Any) -> None:
        assert hasattr(source, items)
        self._property(data, name)

    def operator(self, idname: str, **options: Any) -> types.SimpleNamespace:
        self._note("operator", options)
        module, name = idname.split(".")
        assert name in dir(getattr(bpy.ops, module)), idname
        properties = types.SimpleNamespace()
        self.operators.append((idname, properties))
        return properties

    def icon(self, _data: bpy.types.ID) -> int:
        return 1

    def _property(self, data: Any, name: str) -> None:
        if name in data.bl_rna.properties:
            self.properties.append((data.bl_rna.identifier, name))
        else:  # of a list of Python's own
            assert hasattr(data, name), name


class Stand:
    """Stands in for a drawn panel, menu or list: the class's methods on a layout of ours."""

    def __init__(self, cls: type, layout: RecordedLayout) -> None:
        self.layout = layout
        self._cls = cls

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._cls, name)
        return types.MethodType(value, self) if isinstance(value, types.FunctionType) else value


def drawn(cls: type, context: Any = None, method: str = "draw") -> RecordedLayout:
    """What a panel draws."""
    layout = RecordedLayout()
    getattr(Stand(cls, layout), method)(context or bpy.context)
    return layout
