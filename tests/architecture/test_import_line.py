"""One straight line: knowledge <- experts <- immersive.work <- immersive. Nothing imports to its right."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FLOORS = ["knowledge", "experts", "immersive.work", "immersive"]

# Inside a package an arrow means "uses"; a module may use those of a lower or the same number.
LAYERS = {
    name: layer
    for layer, names in enumerate(
        [
            # values, texts and tools that know nothing of the rest
            "documents signals replacing bulk questions addresses dialling sandbox outline units reader markup front "
            "captions name_words name_reading",
            # what is stored, what is read, and pure decisions
            "models audiences access durable edition gaps live_sources meaning index connectors fetch extract "
            "extract_child parsers webpage syndication ranking trust folding curated spelling explain passages "
            "standing sheet topics history tokens imports scim asks votes formation pairing frameworks framework_file "
            "calibration chances routes weighing acts rows",
            # answers
            "ingest indexing search remembered typeahead relaxing pages live live_kept evidence names "
            "connector tasks log mirror over_time like_tasks candidates wording advice records working_time finder "
            "sayings helpers room load sealed own_asks answers",
            # verbs
            "actions waiting choices notices mentorships communities proposals line_ups matching my_mentoring "
            "invitations welcome bringing provisioning plan card verifying "
            "recall outcomes reminding sharing belongings told telling experiments reviewing "
            "turns later alike still_right moderation digests tellers conversation",
            # whoever asks
            "views api admin forms urls apps checks jobs receivers management templatetags reviewing_forms",
        ]
    )
    for name in names.split()
}

UPWARD = {
    ("knowledge.ingest", "knowledge.jobs"): "a sync that ended prompts the job that indexes what it stored",
    ("knowledge.actions", "knowledge.jobs"): "a verb prompts its job by name, once the transaction is committed",
    ("knowledge.models", "knowledge.verifying"): "its row stands beside its verbs, and Django looks for rows in models",
    ("knowledge.models", "knowledge.waiting"): "its row stands beside its verbs, and Django looks for rows in models",
    **{
        ("experts.models", f"experts.{rows}"): "its rows stand beside its verbs, and Django looks for rows in models"
        for rows in ("welcome", "choices", "notices", "mentoring.mentorships", "communities", "teams.proposals")
    },
    ("knowledge.search", "knowledge.jobs"): "a search that finds no index prompts the job that builds it",
    ("immersive.work.actions", "immersive.work.jobs"): "a verb prompts its job, once the transaction is committed",
    ("experts.directory.bringing", "experts.jobs"): "a verb prompts its job, once the transaction is committed",
    ("experts.asking.turns", "experts.jobs"): "who leaves has the job that passes on prompted, once that is committed",
}

WITHOUT_MODELS = [
    "knowledge/index", "knowledge/connectors",
    *(f"knowledge/{name}.py" for name in (
        "documents", "fetch", "extract", "markup", "front", "outline", "units", "reader", "passages",
        "ranking", "trust", "folding", "curated", "spelling", "explain",
    )),
]  # fmt: skip


def modules(*packages: str) -> list[Path]:
    return [
        path
        for package in packages
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Every module that a file imports, inside functions too, for type checking not."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    skipped = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor(module: str) -> int | None:
    """The number of the floor that a module stands on, `None` for others' modules."""
    for number in (2, 3, 1, 0):
        if module == FLOORS[number] or module.startswith(FLOORS[number] + "."):
            return number
    return None


ALL = modules("knowledge", "experts", "immersive")


@pytest.mark.parametrize("path", ALL, ids=dotted)
def test_nothing_imports_to_its_right(path: Path) -> None:
    own = floor(dotted(path))
    assert own is not None
    for module in imports(path):
        other = floor(module)
        assert other is None or other <= own, f"{dotted(path)} imports {module}, which stands on a floor above"


def layer(module: str) -> tuple[str, int] | None:
    """The package of a module and its layer there."""
    for package in FLOORS[:3]:
        if module.startswith(package + "."):
            folder, *inside = module.removeprefix(package + ".").split(".")
            return next(((package, LAYERS[name]) for name in (folder, *inside[:1]) if name in LAYERS), None)
    return None


KNOWN = {dotted(path) for path in ALL}


def test_every_module_has_its_layer() -> None:
    known = {dotted(path) for path in ALL if not path.name.startswith("__")}
    floors = tuple(f"{package}." for package in FLOORS[:3])
    assert {module for module in known if module.startswith(floors) and layer(module) is None} == set()


def test_a_package_uses_only_what_lies_lower() -> None:
    used = set()
    for path in ALL:
        own = layer(dotted(path))
        for module in imports(path):
            other = layer(module)
            if own and other and own[0] == other[0] and other[1] > own[1]:
                named = (known for known in KNOWN if f"{module}.".startswith(f"{known}."))
                used.add((dotted(path), max(named, key=len)))
    assert used - set(UPWARD) == set(), "these imports go up inside their package"
    assert set(UPWARD) - used == set(), "these exceptions are not needed any more"
    assert all(UPWARD.values()), "every exception has its reason"


@pytest.mark.parametrize("place", WITHOUT_MODELS)
def test_index_connectors_and_ranking_know_no_model(place: str) -> None:
    for path in [ROOT / place] if place.endswith(".py") else modules(place):
        for module in imports(path):
            assert not module.startswith("django.db"), f"{dotted(path)} reaches for the database"
            assert module.split(".")[-1] != "models", f"{dotted(path)} imports models"


NETWORK = {"httpx2", "httpcore2", "socket", "requests", "urllib3", "urllib.request", "http.client", "ssl"}
DOORS = {
    "knowledge.addresses": "judges addresses",
    "knowledge.dialling": "dials the address that was judged",
    "knowledge.fetch": "the door itself",
    "knowledge.sandbox": "speaks to its own child through a pair of sockets",
    "knowledge.extract_child": "the other end of that pair",
    "knowledge.index.opensearch_client": "asks the cluster that the operator named; no address in it is a source's",
    "knowledge.index.opensearch_shelf": "says which machine holds the right to write",
    "immersive.serving": "takes leave of who asked for an address that is too long",
    "immersive.management.commands.run": "asks its own web server whether it answers",
    "immersive.management.commands.bench_portal": "asks the portal that it has started itself",
}


def test_the_network_is_reached_through_one_door() -> None:
    reaching = {dotted(path) for path in ALL if NETWORK & set(imports(path))}
    assert reaching - set(DOORS) == set()
    assert set(DOORS) - reaching <= {"knowledge.extract_child", "knowledge.sandbox"}
