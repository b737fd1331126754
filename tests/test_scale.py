"""The compose file's cluster, which no container engine has started here: whole as far as reading it can tell."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.chaos.portal import ROOT
from tests.services.opensearch import VERSION

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
NODES = sorted(name for name in SERVICES if name.startswith("opensearch-"))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_rests_on_what_is_there(name: str) -> None:
    service = SERVICES[name]
    assert service.get("image") or service.get("build")
    for other in service.get("depends_on", ()):
        assert set(SERVICES[other].get("profiles", ())) <= set(service.get("profiles", ())), "or it is not started"
    for volume in service.get("volumes", ()):
        source = volume.partition(":")[0]
        assert source in COMPOSE["volumes"] or source[0] in "./$", f"no volume is named {source}"


def test_the_nodes_know_each_other_and_are_what_is_tested() -> None:
    assert len(NODES) == 3
    names = SERVICES["certificates"]["command"][2]
    for node in NODES:
        service, told = SERVICES[node], SERVICES[node]["environment"]
        assert service["profiles"] == ["scale"]
        assert service["image"] == f"opensearchproject/opensearch:{VERSION}"
        assert told["node.name"] == node
        assert told["discovery.seed_hosts"].split(",") == NODES
        assert told["cluster.initial_cluster_manager_nodes"].split(",") == NODES
        assert f"DNS:{node}" in names
        assert f"{node}:/usr/share/opensearch/data" in service["volumes"], "a node's data outlives it"
        least, most = told["OPENSEARCH_JAVA_OPTS"].split()
        assert least.removeprefix("-Xms") == most.removeprefix("-Xmx")
