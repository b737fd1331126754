"""Questions to colleagues: asking, one question with its answers, and all of one's own.

What somebody types comes back whole when it cannot be done, with what to do.
Words of questions stand in no address: they are posted, so no log holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from experts import finder
from experts.asking import actions as asking
from experts.asking import conversation, later, moderation, own_asks, turns
from experts.asking.alike import Similar, similar
from experts.asking.asks import LONGEST, Answer, Ask
from experts.asking.sealed import words_of
from experts.finder import Expert
from experts.models import Person
from experts.notices import see
from experts.views.ask_forms import WHOEVER, AnswerForm, AskForm, refuse, still_kept
from knowledge.access import Viewer, id_in
from knowledge.documents import EVERYONE
from knowledge.models import Resource
from knowledge.topics import proposed

P = ParamSpec("P")
A_PAGE = 20
SAME_WORDS = "These are the words of your task, by which it would be known as yours. Use others, or ask with your name."


def private(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Keep what is typed and answered out of caches and error reports."""
    return wraps(view)(never_cache(sensitive_post_parameters()(sensitive_variables()(view))))


@private
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """What waits for me, what I asked, and what I could answer."""
    viewer = Viewer.of(request.user)
    waiting, own = turns.waiting_for(viewer), own_asks.mine(viewer)
    page = Paginator(conversation.open_to(viewer), A_PAGE).get_page(request.GET.get("page"))
    lines = {line.ask.pk: line for line in conversation.lines([*waiting, *own, *page.object_list], viewer)}
    context = {
        "waiting": [lines[ask.pk] for ask in waiting],
        "named": [lines[ask.pk] for ask in own if not ask.sealed],
        "sealed": [lines[ask.pk] for ask in own if ask.sealed],
        "open": [lines[ask.pk] for ask in page.object_list],
        "page": page,
    }
    return render(request, "experts/asks.html", context)


# Asking ---------------------------------------------------------------------------------------------------------------


@private
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form (``q``, ``to``, ``about``, ``wish`` fill it), and asking; what is like it is shown once before."""
    said = {name: request.GET.get(name, "") for name in ("to", "about", "wish")}
    return asking_page(request, {**said, "text": request.GET.get("q", "")})


def asking_page(
    request: HttpRequest, begin: Mapping[str, str], *, asked: Callable[[Ask], None] = lambda ask: None,
    by_hand: bool = False, **more: Any,
) -> HttpResponse:  # fmt: skip
    """The page `new`, for other rooms to begin a question on: ``begin`` fills the form, ``asked`` hears what was asked.

    ``by_hand``: the words come from what others may not read: topics are only those that are chosen, and without a
    name the words are others, for by these whoever reads both would know whose they are. ``more`` is for the template.
    """
    viewer = Viewer.of(request.user)
    said: Mapping[str, str] = request.POST if request.method == "POST" else begin
    more["by_hand"] = by_hand
    person, about = _person(said.get("to"), viewer), _about(said.get("about"), viewer)
    audiences = asking.audiences(viewer)
    if "whom" in request.POST:  # one of those who may know was chosen: the same form, to them
        person = _person(request.POST["whom"], viewer)
        kept = {**request.POST.dict(), "to": str(person.public_id) if person else WHOEVER}
        form = AskForm(initial=kept, audiences=audiences, person=person)
        return _asking(request, form, viewer, about, person, kept.get("text", ""), lost=person is None, **more)
    if request.method != "POST":
        words = said["text"]
        wish = said["wish"] if said["wish"] in Ask.Wish.values else Ask.Wish.SHOW
        filled = {"text": words, "about": about and about.public_id, "wish": wish}
        filled["audience"] = said.get("audience", EVERYONE)
        form = AskForm(initial=filled, audiences=audiences, person=person)
        lost = bool(said.get("to")) and person is None
        if not (words or lost):  # typing is what comes next
            form.fields["text"].widget.attrs["autofocus"] = True
        return _asking(request, form, viewer, about, person, words, lost=lost, **more)
    form = AskForm(request.POST, audiences=audiences, person=person)
    alike = None
    if form.is_valid() and by_hand and form.cleaned_data["anonymous"] and _says(form.cleaned_data["text"], begin):
        form.add_error("anonymous", SAME_WORDS)
    if form.is_valid():
        values = form.cleaned_data
        alike = similar(values["text"], viewer)
        if _keys(alike) <= set(request.POST.getlist("shown")):
            topics = request.POST.getlist("topic") or ([] if by_hand else None)
            try:
                made = asking.ask(viewer=viewer, topics=topics, **{**values, "to": id_in(values["to"])})
                asked(made)
                return _asked(request, made)
            except ValidationError as problem:
                refuse(form, problem)
    status = 422 if form.errors else 200
    return _asking(request, form, viewer, about, person, said.get("text", ""), alike=alike, status=status, **more)


def _asked(request: HttpRequest, ask: Ask) -> HttpResponse:
    """To the question; without a name to all of one's own, for nobody but its author opens it before it is shown."""
    if not ask.sealed:
        return redirect(ask)
    messages.success(request, "Asked without a name. Others see it within some hours; you find it on this page.")
    return redirect("experts:asks")


def _asking(
    request: HttpRequest, form: AskForm, viewer: Viewer, about: Resource | None, person: Person | None, text: str,
    *, alike: Similar | None = None, status: int = 200, lost: bool = False, template: str = "experts/ask_new.html",
    **more: Any,
) -> HttpResponse:  # fmt: skip
    context = {
        **more,
        "form": form,
        "about": about,
        "person": person,
        "lost": own_asks.NOT_NOW if lost else "",
        "step": alike is not None and not form.errors,
        **_beside(request, text, about, viewer, alike, more["by_hand"]),
    }
    if person is None or form.errors.get("to"):
        context["people"] = _may_know(text, viewer)
    return render(request, template, context, status=status)


@private
@require_POST
def alike(request: HttpRequest) -> HttpResponse:
    """What is like the question that is being typed, and what it seems to be about."""
    viewer = Viewer.of(request.user)
    text = request.POST.get("text", "")
    context = _beside(
        request, text, _about(request.POST.get("about"), viewer), viewer, by_hand="by_hand" in request.POST
    )
    if "to" not in request.POST:
        context["people"] = _may_know(text, viewer)
    return render(request, "components/alike_asks.html", context)


def _beside(
    request: HttpRequest, text: str, about: Resource | None, viewer: Viewer, found: Similar | None = None,
    by_hand: bool = False,
) -> dict[str, Any]:  # fmt: skip
    text = text[:LONGEST]
    found = found or similar(text, viewer)
    names = [topic.name for topic in proposed(text, about, viewer)] if text.strip() or about else []
    topics = still_kept(request, names, by_hand)
    return {"alike": found, "shown": sorted(_keys(found)), "topics": topics, "by_hand": by_hand}


def _may_know(text: str, viewer: Viewer) -> list[Expert]:
    """Some who may know, one of whom can be asked by name; that they can be asked now is not said."""
    return finder.find(turns.query_of(text[:LONGEST]), viewer, count=3, without={viewer.person_id or 0})


def _says(text: str, begin: Mapping[str, str]) -> bool:
    """Whether a question says all that it began with."""
    began = words_of(begin.get("text", ""))
    return bool(began) and began <= words_of(text)


def _keys(found: Similar) -> set[str]:
    return {f"r{one.resource.public_id.hex}" for one in found.answers} | {f"a{one.public_id.hex}" for one in found.asks}


# One question ---------------------------------------------------------------------------------------------------------


@private
@require_safe
def one(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One question with its answers; absent and forbidden are the same 404."""
    viewer = Viewer.of(request.user)
    return _show(request, asking.ask_or_404(public_id, viewer), viewer)


def _show(
    request: HttpRequest, ask: Ask, viewer: Viewer, form: AnswerForm | None = None, **more: Any
) -> HttpResponse:  # fmt: skip
    told = conversation.of(ask, viewer)
    taken = [one.public_id for one in told.taken]
    see(viewer=viewer, subjects=[ask.public_id, *(one.answer.public_id for one in told.replies), *taken])
    context = {"told": told, "ask": ask, "form": form or AnswerForm(), **_messages(request, told), **more}
    return render(request, "experts/ask.html", context, status=422 if form and form.errors else 200)


def _messages(request: HttpRequest, told: conversation.Conversation) -> dict[str, Any]:
    """What is said once, parted: an answer's address leads to it, so what is said of it stands there."""
    there = {one.answer.public_id.hex for one in told.replies}
    some = list(messages.get_messages(request))
    return {
        "messages": [one for one in some if one.extra_tags not in there],
        "at_answers": [one for one in some if one.extra_tags in there],
    }


@private
@require_POST
def answer(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Answer; an answer that cannot be taken comes back whole."""
    viewer = Viewer.of(request.user)
    form = AnswerForm(request.POST)
    if form.is_valid():
        try:
            made = asking.answer(ask=public_id, viewer=viewer, body=form.cleaned_data["body"])
            messages.success(request, _thanks(made, viewer), extra_tags=made.public_id.hex)
            return redirect(made)
        except ValidationError as problem:
            refuse(form, problem)
        except Http404:
            return _gone(request, form)
    return _show(request, asking.ask_or_404(public_id, viewer), viewer, form)


def _thanks(made: Answer, viewer: Viewer) -> str:
    """What is said to whoever has answered."""
    if made.ask.author_id == viewer.person_id:
        return "Your answer stands here."
    told = "" if made.ask.sealed else " Whoever asked is told."
    return f"Thank you for answering.{told}"


def _gone(request: HttpRequest, form: AnswerForm) -> HttpResponse:
    """The same for what is gone and what is forbidden: and whoever wrote long keeps their words."""
    return render(request, "experts/answer_gone.html", {"body": form.cleaned_data["body"]}, status=404)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Write one's own answer anew."""
    viewer = Viewer.of(request.user)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(asking.edit_answer(answer=public_id, viewer=viewer, body=form.cleaned_data["body"]))
        except ValidationError as problem:
            refuse(form, problem)
        except Http404:
            return _gone(request, form)
    found = asking.own_answer_or_404(public_id, viewer, standing=True)
    form.initial = {"body": found.body}
    status = 422 if form.errors else 200
    return render(request, "experts/answer_edit.html", {"form": form, "answer": found, "ask": found.ask}, status=status)


@private
@require_safe
def text(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """An answer as it was written, whole: pages show the beginning of very long ones."""
    found = asking.answer_or_404(public_id, Viewer.of(request.user))
    return HttpResponse(found.body, content_type="text/plain; charset=utf-8")


Verbs = Mapping[str, tuple[Callable[..., Any], str, str]]
"""What one click does, what is said of it, and what is said where it changed nothing."""
TO_ASK: Verbs = {
    "join": (asking.join, "You are told when it is answered.", "It is yours already."),
    "leave": (asking.leave, "It is not your question any more.", "It was not yours."),
    "skip": (asking.skip, "Left to others. Nobody is told.", ""),
    "withdraw": (asking.withdraw, "Your question is withdrawn.", ""),
    "close": (asking.close, "Your question is closed; it stays readable.", "It was closed already."),
    "hand-on": (
        asking.hand_on,
        "Handed on to whoever knows.",
        "Nobody can be asked just now: it stays open, and somebody is looked for again.",
    ),
}
TO_ANSWER: Verbs = {
    "accept": (asking.accept, "Accepted: thank you for saying so.", "It was accepted already."),
    "thank": (asking.thank, "Thanked.", "You have said thank you already."),
    "withdraw": (asking.withdraw_answer, "Your answer is withdrawn.", ""),
    "renew": (
        asking.renew,
        "You vouch for it from today on.",
        "Search does not find it: nothing to renew.",
    ),
}
LATER = "Noted. Others see it within some hours, so that the moment does not tell who asked."
AWAY = ("skip", "withdraw")
"""After these there is nothing left to read for whoever did it."""


@private
@require_POST
def act(request: HttpRequest, public_id: UUID, verb: str) -> HttpResponse:
    """One click on a question, and back to it; what cannot be done is said."""
    return _do(request, TO_ASK, verb, "ask", public_id)


@private
@require_POST
def act_on_answer(request: HttpRequest, public_id: UUID, verb: str) -> HttpResponse:
    """One click on an answer, and back to it."""
    return _do(request, TO_ANSWER, verb, "answer", public_id)


def _do(request: HttpRequest, verbs: Verbs, verb: str, what: str, key: UUID) -> HttpResponse:
    if verb not in verbs:
        raise Http404
    viewer, (do, done, nothing) = Viewer.of(request.user), verbs[verb]
    look: Callable[[UUID, Viewer], Ask | Answer] = asking.ask_or_404 if what == "ask" else asking.answer_or_404
    found = (asking.own_answer_or_404 if do is asking.withdraw_answer else look)(key, viewer)
    if later.is_put_off(found.ask if isinstance(found, Answer) else found, verb, viewer):
        done, nothing = LATER, "You did that already: others see it within some hours of your click."
    more = {"said": request.POST.get("said", "")} if verb == "thank" else {}
    where = found.public_id.hex if isinstance(found, Answer) else ""
    try:
        changed = do(viewer=viewer, **{what: key}, **more)
        messages.success(request, nothing if changed is False else done, extra_tags=where)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages), extra_tags=where)
    if isinstance(found, Answer):
        return redirect(found.ask if verb == "withdraw" else found)
    return redirect("experts:asks") if verb in AWAY else redirect(found)


# What moderators do ---------------------------------------------------------------------------------------------------


@permission_required(moderation.MODERATE, raise_exception=True)
@private
@require_safe
def taken_away(request: HttpRequest) -> HttpResponse:
    """What moderators took away, to be looked at again."""
    return _taken_away(request)


def _taken_away(request: HttpRequest, **more: Any) -> HttpResponse:
    viewer = Viewer.of(request.user)
    lists = (("questions", moderation.questions_taken_away(viewer)), ("answers", moderation.answers_taken_away(viewer)))
    context = {name: Paginator(rows, A_PAGE).get_page(request.GET.get(name)) for name, rows in lists} | more
    return render(request, "experts/taken_away.html", context, status=422 if more else 200)


def _given_back(request: HttpRequest, give_back: Callable[..., None], **what: UUID) -> HttpResponse:
    reason = request.POST.get("reason", "")
    try:
        give_back(person=cast(Person, request.user), reason=reason, **what)
    except ValidationError as problem:
        return _taken_away(request, refused=" ".join(problem.messages))
    messages.success(request, "Given back. Its author reads why.")
    return redirect("experts:taken-away")


@private
@require_POST
def moderate(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take a question away or give it back, or open its seal (``do``); who asked is told in this answer alone."""
    if request.POST.get("do") == "give-back":
        return _given_back(request, moderation.give_back_ask, ask=public_id)
    person, reason = cast(Person, request.user), request.POST.get("reason", "")
    try:
        if request.POST.get("do") != "open-seal":
            moderation.hide_ask(ask=public_id, person=person, reason=reason)
            messages.success(request, "Taken away. Its author reads why. It can be given back here.")
            return redirect("experts:taken-away")
        opened = moderation.open_seal(ask=public_id, person=person, reason=reason)
    except ValidationError as problem:
        return _refused(request, public_id, problem)
    viewer = Viewer.of(request.user)
    name = opened.display_name if opened else "nobody who is known here any more"
    return _show(request, asking.ask_or_404(public_id, viewer), viewer, opened=name)


@private
@require_POST
def moderate_answer(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take an answer away, or give it back, with a reason."""
    if request.POST.get("do") == "give-back":
        return _given_back(request, moderation.give_back_answer, answer=public_id)
    found = asking.answer_or_404(public_id, Viewer.of(request.user))
    try:
        moderation.hide_answer(
            answer=public_id, person=cast(Person, request.user), reason=request.POST.get("reason", "")
        )
    except ValidationError as problem:
        return _refused(request, found.ask.public_id, problem)
    messages.success(request, "Taken away. Its author reads why.")
    return redirect(found.ask)


def _refused(request: HttpRequest, ask: UUID, problem: ValidationError) -> HttpResponse:
    """The question again, with what was refused and the reason as it was typed."""
    viewer = Viewer.of(request.user)
    refused, reason = " ".join(problem.messages), request.POST.get("reason", "")
    return _show(request, asking.ask_or_404(ask, viewer), viewer, refused=refused, reason=reason)


def _person(text: str | None, viewer: Viewer) -> Person | None:
    """Somebody else whom the viewer may see."""
    key = id_in(text)
    found = Person.objects.visible_to(viewer).filter(public_id=key).first() if key else None
    return None if found and found.pk == viewer.person_id else found


def _about(text: str | None, viewer: Viewer) -> Resource | None:
    key = id_in(text)
    found: Resource | None = Resource.objects.visible_to(viewer).filter(public_id=key).first() if key else None
    return found
