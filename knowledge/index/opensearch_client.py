"""Speaking to an OpenSearch cluster: which node, how long, how often again, and what its refusals mean.

A node may be away, busy or in the middle of choosing a manager at any time.
So a question goes to another node when one does not answer, and waits a
little when all are busy; when nobody answers, that is said at once from then
on, until somebody does again. Nothing of a document is ever in a message.
"""

from __future__ import annotations

import atexit
import json
import os
import random
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import httpx2

from knowledge.index import IndexMissing, IndexProblem, IndexUnreachable

BUSY = frozenset({429, 500, 502, 503, 504})
"""Answers that may be another one a moment later: too much to do, a shard or a manager away."""
MISSING = "index_not_found_exception"


class Conflict(IndexProblem):
    """Somebody else wrote this document first."""


class Refused(IndexProblem):
    """The cluster will not do this, however often it is asked; ``kind`` is what it calls its reason."""

    def __init__(self, status: int, kind: str) -> None:
        super().__init__(f"OpenSearch refused what it was asked ({status} {kind}).")
        self.kind = kind


class Cluster:
    """The nodes of one cluster. Threads and forked processes may share it."""

    def __init__(self, addresses: Sequence[str], user: str = "", password: str = "", ca: str = "") -> None:
        self._addresses = [address.strip().rstrip("/") for address in addresses if address.strip()]
        if not self._addresses:
            raise IndexProblem("No address of OpenSearch is known: set OPENSEARCH_URL to those of its nodes.")
        self._auth = (user, password) if user else None
        self._ca = ca
        self._clients: dict[int, httpx2.Client] = {}
        self._making = threading.Lock()
        self._first = random.randrange(len(self._addresses))  # noqa: S311 - spreads load, no secret
        self._silent_since = 0.0

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        patience: float = 1.0,
        seconds: float = 10.0,
        absent: bool = False,
    ) -> dict[str, Any]:
        """What the cluster answers; asked again for ``patience`` seconds while it is busy or nobody answers.

        ``seconds``: how long one answer may take. ``absent``: an index or
        document that is not there is an empty answer, not `IndexMissing`.
        Raises `IndexUnreachable` when nobody answers in time, `Conflict`, and
        `IndexProblem` for whatever asking again would not mend.
        """
        content = None if body is None else body if isinstance(body, bytes) else encoded(body)
        deadline = time.monotonic() + (0.0 if self._silent_since else patience)
        pause = 0.02
        tried = 0
        while True:
            reason = "nobody answers"
            try:
                status, found, wait = self._once(method, path, content, seconds)
                self._silent_since = 0.0
                if status < 300:
                    return found
                if status not in BUSY:
                    return self._refused(status, found, absent)
                reason = f"it answers {status}"
            except httpx2.TransportError as error:
                reason, wait = type(error).__name__, 0.0
                self._first += 1
            tried += 1
            if time.monotonic() >= deadline and tried >= min(2, len(self._addresses)):
                self._silent_since = time.monotonic()
                raise IndexUnreachable(
                    f"OpenSearch cannot be asked just now ({reason}). What it holds stays; see that its nodes run and "
                    "that OPENSEARCH_URL names them: everything goes on by itself as soon as it answers."
                )
            if tried >= len(self._addresses) or wait:
                time.sleep(min(max(wait, random.uniform(0, pause)), max(0.0, deadline - time.monotonic())))  # noqa: S311
                pause = min(pause * 2, 5.0)

    def _once(self, method: str, path: str, content: bytes | None, seconds: float) -> tuple[int, dict[str, Any], float]:
        """One question to one node: status, answer and how long it asks to wait."""
        address = self._addresses[self._first % len(self._addresses)]
        kind = {"content-type": "application/x-ndjson" if "_bulk" in path or "_msearch" in path else "application/json"}
        timeout = httpx2.Timeout(seconds, connect=min(seconds, 1.0))
        answer = self._client().request(method, address + path, content=content, headers=kind, timeout=timeout)
        try:
            found = json.loads(answer.content) if answer.content else {}
        except ValueError:
            found = None
        if not isinstance(found, dict):  # a proxy's page, or half an answer
            if answer.status_code < 300:
                raise httpx2.RemoteProtocolError("the answer is no JSON object")
            found = {}
        wait = answer.headers.get("retry-after", "")
        return answer.status_code, found, min(float(wait), 30.0) if wait.isdigit() else 0.0

    def _refused(self, status: int, found: dict[str, Any], absent: bool) -> dict[str, Any]:
        kind = error_type(found.get("error"))
        if status == 404:
            if absent:
                return {}
            if kind == MISSING or not kind:
                raise IndexMissing
        if status == 409:
            raise Conflict("Another process has written meanwhile.")
        if status in (401, 403) and "block" not in kind:
            raise IndexProblem(
                "OpenSearch does not let this account in: set OPENSEARCH_USER and OPENSEARCH_PASSWORD to one that "
                "may read, write and make the indices that OPENSEARCH_PREFIX begins."
            )
        if status == 403:
            raise IndexProblem(
                f"OpenSearch takes nothing more ({kind}): its disks are too full. Free some space or add a node."
            )
        raise Refused(status, kind)

    def close(self) -> None:
        """Let go of this process's connections; the next question opens new ones."""
        client = self._clients.pop(os.getpid(), None)
        if client:
            client.close()

    def _client(self) -> httpx2.Client:
        """One pool of connections for each process: a fork must not speak on its parent's."""
        pid = os.getpid()
        if pid not in self._clients:
            with self._making:
                if pid not in self._clients:
                    self._clients[pid] = httpx2.Client(
                        auth=self._auth,
                        verify=_trust(self._ca),
                        trust_env=False,
                        headers={"accept-encoding": "identity"},
                        limits=httpx2.Limits(max_connections=64, max_keepalive_connections=32, keepalive_expiry=30),
                    )
        return self._clients[pid]


def _trust(ca: str) -> Any:
    """Whose certificates are believed: those of the file that settings name, else those the machine knows."""
    import ssl

    return ssl.create_default_context(cafile=ca or None)


@cache
def cluster(addresses: tuple[str, ...], user: str, password: str, ca: str) -> Cluster:
    """The cluster at these addresses, one object for the whole process."""
    made = Cluster(addresses, user, password, ca)
    atexit.register(made.close)
    return made


def encoded(value: Any) -> bytes:
    """JSON; half a character, which no JSON can hold, as a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def error_type(error: Any) -> str:
    """The name of an error. What else is said of it may quote documents, and is never repeated."""
    if isinstance(error, Mapping):
        causes = error.get("root_cause") or [{}]
        return str(error.get("type") or causes[0].get("type") or "")
    return ""
