"""People and teams from a file, seen before it is done; for those who may bring people in."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from experts.directory import bringing, sheet
from experts.directory.bringing import KINDS
from experts.directory.imports import PeopleImport, Stage
from experts.directory.sheet import ImportRefused
from experts.models import Person

A_PAGE = 500
RECENT = 10
HEADINGS = {
    "problem": "Lines that need a look", "remark": "Remarks", "team": "New teams", "leaver": "Leave",
    "add": "Added", "change": "Changed",
}  # fmt: skip


class FileForm(forms.Form):
    """A file, and what is to become of those whom it does not name."""

    file = forms.FileField(
        label="CSV file",
        help_text="At most 50 MB. Its first line names the columns. A workbook of Excel is saved as “CSV UTF-8” first.",
    )
    leavers = forms.BooleanField(label="End the accounts of people not in the file", required=False)
    many = forms.BooleanField(label="Even if that is many people", required=False)

    def clean_file(self) -> Any:
        """Refuse what is too large before it is kept."""
        file = self.cleaned_data["file"]
        if file.size > sheet.MAX_BYTES:
            raise forms.ValidationError(sheet.TOO_LARGE)
        return file


may_import = permission_required("experts.import_people", raise_exception=True)


@may_import
@require_http_methods(["GET", "POST"])
def bring(request: HttpRequest) -> HttpResponse:
    """Choose a file; it is read and shown, and nothing is written yet."""
    posted = request.method == "POST"
    form = FileForm(request.POST if posted else None, request.FILES if posted else None)
    if form.is_valid():
        said = form.cleaned_data
        try:
            row = bringing.bring(
                chunks=said["file"].chunks(), name=said["file"].name, by=cast(Person, request.user),
                leavers=said["leavers"], many=said["many"],
            )  # fmt: skip
        except ImportRefused as refusal:
            form.add_error("file", str(refusal))
        else:
            return redirect("experts:import-one", row.public_id)
    columns = [(names[0], ", ".join(names[1:])) for names in sheet.COLUMNS.values()]
    recent = PeopleImport.objects.of(request.user)[:RECENT]
    told = {"form": form, "columns": columns, "recent": recent}
    return render(request, "experts/import.html", told, status=400 if form.errors else 200)


@may_import
@require_http_methods(["GET", "POST"])
def one(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One's own import: what it would do, how far it is, or what it did."""
    row = PeopleImport.objects.of(request.user).filter(public_id=public_id).first()
    if row is None:
        raise Http404
    if request.method == "POST":
        if "drop" in request.POST:
            bringing.drop(row=row)
        elif "again" in request.POST:
            row.retry()
        else:
            bringing.say_so(row=row, digest=request.POST.get("digest", ""))
        return redirect("experts:import-one", row.public_id)
    return render(request, "experts/import_one.html", {"row": row, **_told(request, row)})


def _told(request: HttpRequest, row: PeopleImport) -> dict[str, Any]:
    """The tab that is open, and its lines."""
    tabs = [(kind, HEADINGS[kind], row.told.get(kind, 0)) for kind in KINDS if row.told.get(kind)]
    kind = request.GET.get("show", "")
    if kind not in {name for name, _, _ in tabs}:
        kind = tabs[0][0] if tabs else ""
    number = request.GET.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1
    pages = max(1, -(-row.told.get(kind, 0) // A_PAGE))
    page = min(max(page, 1), pages)
    lines = bringing.shown(row, kind, (page - 1) * A_PAGE, A_PAGE) if kind else []
    percent = 100 * row.written // max(1, row.told.get("steps", 0))
    return {
        "tabs": tabs, "kind": kind, "heading": HEADINGS.get(kind, ""), "lines": lines, "page": page, "pages": pages,
        "percent": min(percent, 100), "to_do": sum(row.told.get(name, 0) for name in ("add", "change", "leaver")),
        "Stage": Stage,
    }  # fmt: skip
