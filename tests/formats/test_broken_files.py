# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every folder of ``broken`` is refused with the message that stands in it.

A case is a folder with the files of a transforms.json or a COLMAP model, and ``message.txt``, a regular
expression. images/a.png and images/b.png of 200 x 100 pixels are put beside it where it does not bring them.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from sge_addon.core.errors import FitError
from sge_addon.formats.references import read_references
from tests.formats.colmap_writer import add_image

CASES = sorted(path.parent for path in (Path(__file__).parent / "broken").glob("*/message.txt"))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_broken_file_is_refused_with_its_message(case: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(case, folder)
    message = (folder / "message.txt").read_text(encoding="utf-8").rstrip("\n")
    for name in ("a", "b"):
        if not (folder / "images" / f"{name}.png").exists():
            add_image(folder / "images" / f"{name}.png")
    with pytest.raises(FitError) as caught:
        read_references(folder)
    assert re.search(message, str(caught.value))
    assert str(caught.value).isprintable()


def test_there_are_cases() -> None:
    kinds = {case.name.split("_")[0] for case in CASES}
    assert kinds == {"transforms", "colmap"}
