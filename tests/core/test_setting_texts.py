# SPDX-FileCopyrightText: 2026 SGE Fit contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several texts in one line: what is joined comes apart again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sge_addon.core.setting_texts import joined_texts, split_texts

# No text ends in a backslash, which would take the separator after it for its own: data paths do not.
TEXTS = st.text(st.characters(codec="ascii", exclude_characters="\\"), min_size=1).map(str.strip).filter(bool)


@given(st.lists(TEXTS))
def test_what_is_joined_comes_apart_again(texts: list[str]) -> None:
    assert split_texts(joined_texts(texts)) == tuple(texts)


def test_by_hand() -> None:
    assert split_texts(' A:location;; B:modifiers["a\\;b"].x ') == ("A:location", 'B:modifiers["a;b"].x')
    assert split_texts("") == ()
