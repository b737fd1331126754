"""Asking a git server over http: dulwich speaks the protocol, every byte of it comes through the guarded door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from dulwich.client import AbstractHttpGitClient
from dulwich.errors import GitProtocolError, NotGitRepository

from knowledge import fetch
from knowledge.connectors import SourceError
from knowledge.markup import clean_line

MAX_PACK = 2_000_000_000
MAX_SECONDS = 1800.0


class _Answer:
    """An answer of the door in the form that dulwich expects."""

    def __init__(self, stream: fetch.Stream, asked: str) -> None:
        self.status = stream.status
        self.headers = stream.headers
        self.content_type = stream.headers.get("content-type", "")
        self.redirect_location = stream.url if stream.url != asked else ""
        self.read = stream.read
        self.close = stream.close


class GitClient(AbstractHttpGitClient):
    """Speaks git through `fetch.Door`: the same addresses are refused as anywhere, also after a redirect."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self.repository = parts.path
        self.door = fetch.Door()
        super().__init__(f"{parts.scheme}://{parts.netloc}")

    def close(self) -> None:
        self.door.close()

    def guarded(self, ask: Callable[[], Any]) -> Any:
        """The result of talking to the server; whatever goes wrong is a `SourceError`."""
        try:
            return ask()
        except fetch.FetchError as error:
            raise SourceError(str(error)) from error
        except (GitProtocolError, NotGitRepository, ValueError, KeyError, EOFError, AssertionError) as error:
            said = clean_line(str(error), 150) or type(error).__name__
            raise SourceError(
                f"{self.url} does not answer as a git repository ({said}). "
                "Check the address; a private one is best cloned beneath FOLDER_ROOTS."
            ) from error
        except OSError as error:
            raise SourceError(f"{self.url} could not be copied ({error}). Look whether the disk is full.") from error

    def _http_request(
        self, url: str, headers: dict[str, str] | None = None, data: Any = None, raise_for_status: bool = True
    ) -> tuple[Any, Callable[[int], bytes]]:
        stream = self.door.stream(
            "GET" if data is None else "POST",
            url,
            headers={"Pragma": "no-cache", **(headers or {})},
            body=data,
            max_bytes=MAX_PACK,
            total_seconds=MAX_SECONDS,
        )
        answer = _Answer(stream, url)
        if raise_for_status and answer.status != 200:
            stream.close()
            raise GitProtocolError(f"it answers {answer.status}")
        if data is None and not answer.content_type.startswith("application/x-git-"):
            stream.close()
            raise GitProtocolError("it speaks only the old protocol, or is an ordinary page")
        return answer, stream.read
