"""What is wrong with the settings of this package, said at start with its cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.utils.module_loading import import_string

from knowledge.addresses import Allowed, FetchError
from knowledge.live_sources import Declared, faults


@register(Tags.security)
def networks(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Each entry of FETCH_ALLOW is a network."""
    found: list[CheckMessage] = []
    for entry in settings.FETCH_ALLOW:
        try:
            Allowed.parse(entry)
        except (ValueError, FetchError) as error:
            hint = "Write networks as 10.0.0.0/8, or 10.1.2.3/32:8080 with a port."
            found.append(Error(f"FETCH_ALLOW names “{entry}”: {error}", hint=hint, id="knowledge.E001"))
    return found


@register()
def engine(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The chosen engine is one of those configured, and its library is installed."""
    chosen = settings.SEARCH_ENGINES.get(settings.SEARCH_ENGINE)
    if chosen is None:
        known = ", ".join(sorted(settings.SEARCH_ENGINES))
        message = f"SEARCH_ENGINE is “{settings.SEARCH_ENGINE}”."
        return [Error(message, hint=f"Choose one of: {known}.", id="knowledge.E002")]
    try:
        import_string(chosen["ENGINE"])
    except ImportError as error:
        hint = "Install what requirements.lock names, or set SEARCH_ENGINE=whoosh."
        return [Error(f"The engine {settings.SEARCH_ENGINE} cannot be loaded: {error}", hint=hint, id="knowledge.E003")]
    return []


@register()
def folders(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Each of FOLDER_ROOTS is a folder."""
    hint = "Correct FOLDER_ROOTS, or mount the folder: its sources cannot be read until then."
    return [
        Warning(f"FOLDER_ROOTS names {path}, which is no folder.", hint=hint, id="knowledge.W001")
        for path in settings.FOLDER_ROOTS
        if not path.is_dir() and not path.is_relative_to(settings.VAR_DIR)
    ]


@register()
def live_sources(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Each of LIVE_SOURCES can be asked."""
    hint = "Correct LIVE_SOURCES; docs/operating.md shows one."
    if not isinstance(settings.LIVE_SOURCES, list):
        return [Error("LIVE_SOURCES is no list.", hint=hint, id="knowledge.E005")]
    found: list[CheckMessage] = []
    for entry in settings.LIVE_SOURCES:
        name = entry.get("name", "") if isinstance(entry, dict) else ""
        try:
            wrong = [f"{name}: {message}" for name, message in faults(Declared.of_setting(entry))]
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            wrong = [f"{type(error).__name__}: {error}"]
        found += [Error(f"LIVE_SOURCES, “{name}”: {one}", hint=hint, id="knowledge.E006") for one in wrong]
    return found


@register()
def meaning(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The model that is chosen for search by meaning can be asked."""
    found: list[CheckMessage] = []
    if settings.EMBEDDINGS_URL and not settings.EMBEDDINGS_MODEL:
        hint = "Set EMBEDDINGS_MODEL to the name of the model that EMBEDDINGS_URL is to be asked for."
        found.append(Warning("EMBEDDINGS_URL is set, and no model is named.", hint=hint, id="knowledge.W002"))
    missing = [name for name in ("model.onnx", "tokenizer.json") if not (Path(settings.MEANING_MODEL) / name).is_file()]
    if settings.MEANING_MODEL and missing:
        hint = "Correct MEANING_MODEL; search goes by words alone until then."
        message = f"MEANING_MODEL names {settings.MEANING_MODEL}, where {missing[0]} is missing."
        found.append(Warning(message, hint=hint, id="knowledge.W003"))
    return found
