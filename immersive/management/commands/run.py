"""``manage.py run``: the whole portal in one terminal."""

from __future__ import annotations

import os
import sys
import threading
import urllib.error
import urllib.request
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from immersive import static
from immersive.supervisor import Supervisor
from knowledge import sandbox


class Command(BaseCommand):
    """Prepares the database, static files and (in development) the demo company, then starts the processes."""

    help = "Set up what is missing and start web server, worker and beat; Ctrl-C ends all of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1", help="Other machines reach it only if you say so here.")
        parser.add_argument("--no-demo", action="store_true", help="Start with an empty portal.")

    def handle(self, **options: Any) -> None:
        address = f"http://{options['host']}:{options['port']}"
        self._free(options["host"], options["port"])
        demo = settings.DEVELOPMENT and not options["no_demo"]
        self.stdout.write(f"Preparing the database{', ' if demo else ' and '}static files{' and demo' * demo} ...")
        call_command("migrate", verbosity=0)
        static.collect()
        self._prepare_meaning()
        if demo:
            self._bring_demo()
        settings.ADDRESS_FILE.write_text(address)
        supervisor = Supervisor(commands(options["host"], options["port"]))
        threading.Thread(target=self._welcome, args=(address, supervisor, demo), daemon=True).start()
        supervisor.run()
        self.stdout.write("Everything has ended.")

    def _prepare_meaning(self) -> None:
        try:
            call_command("prepare_meaning", stdout=self.stdout)
        except CommandError as problem:  # search is complete without it
            self.stdout.write(str(problem))

    def _bring_demo(self) -> None:
        from immersive.demo import seed

        if not seed.is_done():
            with open(os.devnull, "w") as quiet:  # the sign-ins are told when the site answers
                call_command("seed_demo", stdout=quiet)
            sandbox.close()

    def _free(self, host: str, port: int) -> None:
        import socket

        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise CommandError(
                    f"Port {port} cannot be used ({error.strerror}): try PORT={port + 1} make run"
                ) from error

    def _welcome(self, address: str, supervisor: Supervisor, demo: bool) -> None:
        while not supervisor.stopping.wait(0.2):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=1).close()  # noqa: S310 - our own address
            except (urllib.error.URLError, OSError):
                continue
            supervisor.say("", f"Immersive is ready at {address}")
            if demo:
                from immersive.demo import sign_ins

                for line in sign_ins():
                    supervisor.say("", line)
            elif not get_user_model().objects.exists():
                supervisor.say("", "Nobody has an account yet. In a second terminal: manage.py createsuperuser")
            supervisor.say("", "Ctrl-C ends everything.")
            return


WORKERS = 3
"""Processes that do everything but index: `actions.SYNCS_AT_ONCE` may read sources, one is left for what people log."""


def commands(host: str, port: int) -> dict[str, list[str]]:
    """What runs, by name: the programs of docker-compose.yml, each worker one process that does one job at a time.

    Celery's pool of processes shares locks where the broker is a folder: a
    member that is killed while it holds one stops all others for good. Here a
    process that is killed is simply started again.
    """
    celery = [sys.executable, "-m", "celery", "-A", "immersive", "--quiet"]
    level = os.environ.get("LOG_LEVEL", "WARNING")
    alone = ["-P", "solo", "--loglevel", level, "--without-gossip", "--without-mingle"]
    workers = {
        f"worker-{n}": [*celery, "worker", "-Q", "work", "-n", f"work{n}@%h", *alone] for n in range(1, WORKERS + 1)
    }
    return {
        "web": [
            sys.executable, "-m", "gunicorn", "-c", "python:immersive.serving", "--bind", f"{host}:{port}",
            "--log-level", "warning", "immersive.wsgi",
        ],
        **workers,
        "indexer": [*celery, "worker", "-Q", "index", "-n", "index@%h", *alone],
        "embedder": ["nice", "-n", "19", *celery, "worker", "-Q", "meaning", "-n", "meaning@%h", *alone],
        "beat": [*celery, "beat", "--loglevel", level, "--pidfile=", "-S", "celery.beat.Scheduler"],
    }  # fmt: skip
