"""The child process that parses: its limits, its end, and what comes after."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from knowledge import sandbox
from knowledge.extract import ExtractionError, Limits, extract


def test_one_child_reads_many_documents() -> None:
    sandbox.close()  # a child ends after so many documents, and other tests have used this one
    extract(b"one", "a.txt")
    child = sandbox._child
    for number in range(50):
        assert extract(f"# {number}\n\nwords".encode(), "a.md").title == str(number)
    assert sandbox._child is child


def test_size_goes_first() -> None:
    with pytest.raises(ExtractionError, match=r"larger than 0\.001 MB"):
        extract(b"x" * 2000, "a.txt", limits=Limits(input_mb=0.001))
    with pytest.raises(ExtractionError, match="text came out"):
        extract(b"x " * 2000, "a.txt", limits=Limits(output_mb=0.001))


def test_a_parser_that_hangs_is_ended_and_the_next_document_read() -> None:
    endless = b"<p>many words</p>" * 300_000
    with pytest.raises(ExtractionError, match=r"longer than 0\.05 s"):
        extract(endless, "a.html", limits=Limits(seconds=0.05))
    assert extract(b"<h1>Next</h1>", "b.html").title == "Next"


def test_memory_is_limited_by_the_kernel_and_the_next_document_read() -> None:
    wide = "<p>" + "".join(f"<i a{n}='x'>w</i>" for n in range(300_000))
    with pytest.raises(ExtractionError, match="memory"):
        extract(wide.encode(), "a.html", limits=Limits(memory_mb=120, seconds=60))
    assert extract(b"next", "b.txt").body == "next"


def test_a_child_that_dies_is_replaced() -> None:
    extract(b"one", "a.txt")
    assert sandbox._child is not None
    sandbox._child.process.kill()
    sandbox._child.process.wait()
    assert extract(b"two", "a.txt").body == "two"


CHILD = """
import os, sys
sys.path.insert(0, sys.argv[1])
os.environ["SECRET_KEY"] = "hidden"
from knowledge import sandbox
from knowledge.extract import extract
extract(b"one", "a.txt")
pid = sandbox._child.process.pid
with open(f"/proc/{pid}/environ") as file: print("hidden" in file.read())
with open(f"/proc/{pid}/limits") as file: print([l.split()[3] for l in file if l.startswith("Max file size")])
print(any(name.split(".")[0] == "django" for name in sys.modules))
print(pid, flush=True)
if sys.argv[2] == "killed":
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("end", ["ends", "killed"])
def test_the_child_knows_no_secret_and_ends_with_its_parent(end: str) -> None:
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    command = [sys.executable, "-c", CHILD, home, end]
    parent = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    secret, size, django, pid = parent.stdout.split("\n")[:4]
    assert (secret, size, django) == ("False", "['0']", "False"), parent.stderr
    for _ in range(600):
        if not alive(int(pid)):
            break
        time.sleep(0.05)
    assert not alive(int(pid))


def alive(pid: int) -> bool:
    """Whether the process runs; a dead one that nobody has collected does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_forked_worker_has_a_child_of_its_own() -> None:
    extract(b"one", "a.txt")
    assert sandbox._child is not None
    mine = sandbox._child.process.pid
    read, write = os.pipe()
    forked = os.fork()
    if forked == 0:
        try:
            body = extract(b"from the fork", "a.txt").body
            other = sandbox._child is not None and sandbox._child.process.pid != mine
            os.write(write, f"{body} {other}".encode())
            sandbox.close()
        finally:
            os._exit(0)
    os.waitpid(forked, 0)
    os.close(write)
    with os.fdopen(read) as answer:
        assert answer.read() == "from the fork True"
    assert extract(b"two", "a.txt").body == "two"
    assert sandbox._child is not None
    assert sandbox._child.process.pid == mine
