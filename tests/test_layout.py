# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The house keeps its shape: imports run one way, modules stay small, files name their licence."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "sge_addon"

# Which parts of the package each part may import; every part may import itself.
ARROWS = {
    "core": set(),
    "formats": {"core"},
    "raster": {"core"},
    "scene": {"core"},
    "job": {"scene", "raster", "formats", "core", "version"},
    "command_line": {"core", "version"},
    "headless": {"command_line", "job", "scene", "raster", "formats", "core", "version"},
    "ui": {"job", "scene", "raster", "formats", "core", "version"},
    "version": set(),
    "__init__": {"ui", "headless"},
}
BLENDER = {
    "bpy",
    "gpu",
    "mathutils",
    "gpu_extras",
    "bl_math",
    "bl_operators",
    "bl_ui",
    "bmesh",
    "blf",
    "imbuf",
}
WITHOUT_BLENDER = {"core", "formats", "version", "command_line"}
# What every Blender brings; cholespy is optional and so never imported at a module's top.
THIRD_PARTY = {"numpy"}
LONGEST_MODULE = 350

# Presets are no modules: Blender runs them as they are.
MODULES = sorted(set(PACKAGE.rglob("*.py")) - set((PACKAGE / "presets").rglob("*.py")))
LICENSED = sorted(
    path
    for folder in ("sge_addon", "tests", "tools")
    for path in (REPOSITORY / folder).rglob("*")
    if path.suffix in {".py", ".glsl"}
)


def name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def part_of(path: Path) -> str:
    """The first folder or module below the package: "core", "headless", ..."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(tree: ast.AST, path: Path) -> Iterator[tuple[str, int]]:
    """Each imported module of a source file, absolute or as "sge_addon.part...", and its line."""
    package = ("sge_addon", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0:
                yield node.module or "", node.lineno
                continue
            base = ".".join(package[: len(package) - node.level + 1])
            for alias in node.names:
                yield ".".join(filter(None, (base, node.module, alias.name))), node.lineno


def top_level(tree: ast.Module) -> ast.Module:
    """The module without annotations and function bodies: what runs when it is imported."""

    class Strip(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
            node.body = [ast.Pass()]
            node.args = ast.arguments([], [], None, [], [], None, [])
            node.returns = None
            return self.generic_visit(node)

        def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
            return node.value

        def visit_If(self, node: ast.If) -> ast.AST:
            if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                node.body = [ast.Pass()]
            return self.generic_visit(node)

    return Strip().visit(tree)


def forbidden_imports(source: str, path: Path) -> list[str]:
    """What a module of the package imports against the arrows, as messages with line numbers."""
    part = part_of(path)
    found = []
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level > len(path.relative_to(PACKAGE).parts):
            found.append(f"line {node.lineno}: the import leaves the package")
    for module, line in imports_of(tree, path):
        root, _, rest = module.partition(".")
        if root in BLENDER and part in WITHOUT_BLENDER:
            found.append(f"line {line}: {part} must not know {root}")
        if root == "sge_addon" and rest:
            target = rest.split(".")[0]
            if target != part and target not in ARROWS[part]:
                found.append(f"line {line}: {part} must not import {target}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and not getattr(node, "level", 0):
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            )
            if any(each.split(".")[0] == "sge_addon" for each in names):
                found.append(
                    f"line {node.lineno}: installed, the package has another name; import relatively"
                )
    return found


def uses_at_import(source: str) -> list[str]:
    """Uses of gpu and of Blender's data that run when the module is imported."""
    tree = top_level(ast.parse(source))
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        whole = f"{node.value.id}.{node.attr}"
        if node.value.id == "gpu" or whole in {"bpy.data", "bpy.context", "bpy.ops"}:
            found.append(f"line {node.lineno}: {whole}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_imports_follow_the_arrows(path: Path) -> None:
    assert part_of(path) in ARROWS, f"{part_of(path)} has no place in the house; see CONTRIBUTING.md"
    assert forbidden_imports(path.read_text(encoding="utf-8"), path) == []


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_importing_touches_neither_gpu_nor_data(path: Path) -> None:
    assert uses_at_import(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_modules_are_short_and_need_nothing_that_blender_lacks(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= LONGEST_MODULE, "split it by topic"
    roots = {module.split(".")[0] for module, _ in imports_of(top_level(ast.parse(source)), path)}
    foreign = roots - BLENDER - THIRD_PARTY - {"sge_addon"} - set(sys.stdlib_module_names)
    assert not foreign, f"Blender brings no {', '.join(sorted(foreign))}"


@pytest.mark.parametrize("path", LICENSED, ids=name)
def test_files_name_their_licence(path: Path) -> None:
    head = path.read_text(encoding="utf-8").splitlines()[:3]
    text = "\n".join(head)
    assert re.search(r"^(#|//) SPDX-FileCopyrightText: \d{4} SGE Fit contributors$", text, re.MULTILINE)
    assert re.search(r"^(#|//) SPDX-License-Identifier: GPL-3.0-or-later$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("core/view.py", "import bpy"),
        ("core/view.py", "def f():\n    from mathutils import Matrix"),
        ("core/view.py", "from ..scene import meshes"),
        ("scene/meshes.py", "from ..raster.passes import draw"),
        ("raster/passes.py", "from .. import scene"),
        ("formats/colmap.py", "from ..core.view import View\nimport gpu"),
        ("ui/panels.py", "from sge_addon.core.view import View"),
        ("job.py", "from .headless import main"),
        ("core/view.py", "from ...elsewhere import thing"),
    ],
)
def test_wrong_imports_are_found(where: str, source: str) -> None:
    assert forbidden_imports(source, PACKAGE / where)


def test_use_at_import_is_found() -> None:
    assert uses_at_import("import gpu\nSHADER = gpu.shader.from_builtin('UNIFORM_COLOR')")
    assert uses_at_import("import bpy\nclass A:\n    scene = bpy.context.scene")
    assert uses_at_import("import gpu\ndef f(a: gpu.types.GPUBatch):\n    return gpu.state") == []
