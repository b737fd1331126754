"""The four questions of a review."""

from __future__ import annotations

from typing import Any

from django import forms


def _text(label: str, rows: int, help_text: str = "") -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "autocomplete": "off"})
    return forms.CharField(label=label, required=False, strip=False, widget=widget, help_text=help_text)


class ReviewForm(forms.Form):
    """In the order that they are asked; the verb checks how long they are."""

    expected = _text("1. What did we expect?", 3, "As it was said before. Change it if it is not what you meant.")
    happened = _text("2. What happened?", 3, "What was done and what came of it, not by whom.")
    know_now = _text("3. Why the difference?", 3, "Conditions, tools, what was known then. Nobody is the reason.")
    changes = _text("4. What will we do next time?", 2)

    def clean(self) -> dict[str, Any]:
        """What was expected stands there by itself: that alone is no review."""
        said = self.cleaned_data
        if not any(said.get(name, "").strip() for name in ("happened", "know_now", "changes")):
            self.add_error("happened", "Write in a few words what happened: without it there is nothing to keep.")
        return said
