"""Captions of videos: read to lines with their times, whatever wrote them, and linked at the second that matches."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from knowledge import indexing, outline
from knowledge.access import Viewer
from knowledge.captions import CERTAIN, transcript
from knowledge.connectors.folder import FolderConnector
from knowledge.connectors.git import GitConnector
from knowledge.documents import EVERYONE
from knowledge.extract import ExtractionError, extract
from knowledge.models import Source
from knowledge.reader import render
from knowledge.sandbox import Limits
from knowledge.search import search
from tests.contracts.connectors import Stored
from tests.contracts.test_connectors import Repository, repository
from tests.knowledge.conftest import sync

__all__ = ["repository"]

TALK = """WEBVTT - made by hand

STYLE
::cue(v[voice="Ana"]) { color: red }

NOTE ask Ben
whether this is right

1
00:00:04.000 --> 00:00:06.500 align:start position:10%
<v Ana Lima>A worn <i>seal</i> hums</v>

2
00:00:06.500 --> 00:00:09.000
<v Ana Lima>before it leaks. Listen to it for a moment &amp; write down when.</v>

3
00:04:10.000 --> 00:04:12.000
<v.loud Ben>Then <00:04:11.000><c.yellow>close</c> the &lt;red&gt; valve.</v>
"""

SUBRIP = """1
00:00:04,000 --> 00:00:06,500 X1:100 X2:200
{\\an8}<font color="#fff">A worn seal hums</font>

2
00:00:06,500 --> 00:00:09,000
before it leaks.

with an empty line in it
3
01:04:10,000 --> 01:04:12,000
- Then close the valve.
"""


def said(text: str) -> list[str]:
    return transcript(text).body.split("\n\n")


def test_webvtt_reads_as_lines_with_a_time() -> None:
    assert said(TALK) == [
        "0:04 Ana Lima: A worn seal hums before it leaks. Listen to it for a moment & write down when.",
        "4:10 Ben: Then close the <red> valve.",
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_so_does_subrip(newline: str) -> None:
    assert said(SUBRIP.replace("\n", newline)) == [
        "0:04 A worn seal hums before it leaks. with an empty line in it",
        "1:04:10 - Then close the valve.",
    ]


def test_every_line_is_found_again_at_its_second() -> None:
    body = transcript(TALK).body
    assert outline.second_of(body, body.index("leaks")) == 4
    assert outline.second_of(body, body.index("valve")) == 250
    assert outline.without_time(body.split("\n\n")[1]).startswith("Ben: Then")


def webvtt(*captions: tuple[str, str, str]) -> str:
    return "WEBVTT\n\n" + "\n\n".join(f"{start} --> {end}\n{text}" for start, end, text in captions)


def test_what_rolls_up_is_said_once() -> None:
    rolled = webvtt(
        ("00:01.000", "00:03.000", " \nwe look at"),
        ("00:03.000", "00:03.010", "we look at\n "),
        ("00:03.010", "00:05.000", "we look at\nthe pump<00:04.000><c> today</c>"),
        ("00:05.000", "00:05.010", "the pump today"),
        ("00:05.010", "00:07.000", "the pump today\nand its seals"),
        ("00:07.000", "00:09.000", "the pump today and its seals too"),
    )
    assert said(rolled) == ["0:01 we look at the pump today and its seals too"]


def test_what_is_said_twice_is_kept_where_time_lies_between() -> None:
    twice = webvtt(("00:01.000", "00:02.000", "Stop it."), ("00:09.000", "00:10.000", "Stop it."))
    assert said(twice) == ["0:01 Stop it.", "0:09 Stop it."]


def test_two_words_in_common_are_chance() -> None:
    assert CERTAIN > 2
    near = webvtt(("00:01.000", "00:03.000", "and so it is so it"), ("00:03.000", "00:05.000", "so it goes on"))
    assert said(near) == ["0:01 and so it is so it so it goes on"]


def test_a_line_ends_with_a_sentence_a_pause_a_speaker_or_at_last() -> None:
    long = " ".join(f"word{number}" for number in range(16))
    lines = said(
        webvtt(
            ("00:01.000", "00:02.000", f"{long} end."),
            ("00:02.000", "00:03.000", f"Again {long}"),
            ("00:03.000", "00:04.000", f"and {long} {long}"),
            ("00:04.000", "00:05.000", "Next"),
            ("00:20.000", "00:21.000", "After a pause"),
            ("00:21.000", "00:22.000", "<v Ben>by Ben"),
            ("00:22.000", "00:23.000", "<v Ben>still<v Ana>by Ana"),
        )
    )
    assert [line.split()[0] for line in lines] == ["0:01", "0:02", "0:04", "0:20", "0:21", "0:22"]
    assert lines[-2:] == ["0:21 Ben: by Ben still", "0:22 Ana: by Ana"]


def test_times_out_of_order_are_put_in_order_and_turned_ones_are_told() -> None:
    read = transcript(
        webvtt(
            ("00:30.000", "00:31.000", "last"), ("00:20.000", "00:10.000", "middle"), ("00:05.000", "00:06.000", "a")
        )
    )
    assert read.body == "0:05 a\n\n0:20 middle\n\n0:30 last"
    assert "1 of its captions end before they begin" in read.notes[0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no captions with times"),
        ("WEBVTT\n\nNOTE nothing yet\n", "no captions with times"),
        ("1\n00:00:01\nHello\n", "no captions with times"),
        ("WEBVTT\n\n99:99.000 --> 99:99.500\nHello", "no captions with times"),
        (webvtt(("00:01.000", "00:02.000", "sprite.jpg#xywh=0,0,160,90")), "no words"),
        (webvtt(("00:01.000", "00:02.000", "<i></i> &nbsp;")), "no words"),
    ],
)
def test_what_holds_no_words_with_times_says_so(text: str, why: str) -> None:
    with pytest.raises(ExtractionError, match=why):
        transcript(text)


def test_values_stand_in_the_head() -> None:
    head = "WEBVTT\nKind: captions\nLanguage: de\nTitle: The pump room\nUrl: https://v.example/talk\nTopics: pumps\n"
    read = transcript(TALK.replace("WEBVTT - made by hand\n", head))
    assert (read.title, read.language) == ("The pump room", "de")
    assert (read.front["kind"], read.front["url"], read.front["topics"]) == ("video", "https://v.example/talk", "pumps")
    fenced = transcript("---\ntitle: Fenced\nkind: page\n---\n" + SUBRIP)
    assert (fenced.title, fenced.front["kind"]) == ("Fenced", "video")


@pytest.mark.parametrize(
    ("text", "audience"),
    [
        ("WEBVTT\nAudience: finance\n\n", "finance"),
        ("WEBVTT\nAudience: [finance, board]\n\n", ["finance", "board"]),
        ("WEBVTT\n\nNOTE audience: finance\n\n", []),
        ("WEBVTT\n audience: finance\n\n", []),
        ("WEBVTT\nAudience: [finance\n\n", []),
        ("audience: finance\n\n", []),
        ("WEBVTT\nAud\u200bience: finance\n\n", []),
        ("WEBVTT\naudience： finance\n\n", []),
        ("---\naudience: finance\n---\nWEBVTT\n\n", "finance"),
        ("---\ntitle: Pay\n---\nWEBVTT\naudience: finance\n\n", []),
        ("---\naudience: everyone\n---\nWEBVTT\naudience: finance\n\n", []),
        ("---\ntitle: Pay\n---\n\naudience: finance\n\n", []),
    ],
)
def test_whoever_writes_an_audience_means_it(text: str, audience: object) -> None:
    read = transcript(text + "00:01.000 --> 00:02.000\nHello")
    assert read.front["audience"] == audience
    assert bool(read.notes) == (audience == [])


@hypothesis_settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("0123456789:.,-> \n<v>&#;x\tAWEBVTT{}\\"), max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = transcript("00:01.000 --> 00:02.000\n" + text)
    except ExtractionError:
        return
    assert all(re.match(r"(\d+:)?\d?\d:\d\d \S", line) for line in read.body.split("\n\n"))


# Through the sandbox --------------------------------------------------------------------------------------------------


def test_bytes_of_any_kind_are_read_by_their_ending_or_their_type() -> None:
    assert extract(TALK.encode("utf-16"), "talk.en.vtt").title == "Talk"
    western = SUBRIP.replace("seal", "Größe").encode("cp1252")
    assert "Größe" in extract(western, "talk.SRT", "application/x-subrip; charset=windows-1252").body
    assert extract(b"\xef\xbb\xbf" + TALK.encode(), "x", "text/vtt; charset=utf-8").body.startswith("0:04 Ana")
    assert extract(SUBRIP.encode(), "", "application/x-subrip").body.startswith("0:04 A worn")


@pytest.mark.parametrize(
    "data",
    [
        b"WEBVTT\n\n" + b"\0" * 300 + b"00:01.000 --> 00:02.000\nHello",
        b"%PDF-1.7 00:01.000 --> 00:02.000\nHello",
        b"1\n" + b"-->" * 200_000,
        b"WEBVTT\n" + b"Title: &a [*a]\n" * 5_000,
        b"x" * 3_000_000,
    ],
)
def test_what_is_no_text_or_no_captions_is_refused(data: bytes) -> None:
    with pytest.raises(ExtractionError):
        extract(data, "talk.vtt")


@pytest.mark.parametrize(
    "part",
    [
        b"00:01.000 --> 00:02.000\n" + b"<v " * 500 + b"\n\n",
        b"00:01.000 --> 00:02.000\n" + b"&amp;lt;" * 200 + b"\n\n",
        b"00:01.000 --> 00:02.000\n" + b"the same " * 120 + b"\n\n",
        b"00:09.000 --> 00:01.000\n" + b"{\\" * 400 + b"<c." * 200 + b"\n\n",
        b"".join(
            b"%02d:%02d:01.000 --> %02d:%02d:02.000\nla la\n\n" % (h, m, h, m) for h in range(9) for m in range(9)
        ),
    ],
)
def test_large_and_hostile_files_stay_within_the_limits(part: bytes) -> None:
    data = b"WEBVTT\n\n" + part * (2_000_000 // len(part))
    limits = Limits(seconds=15)
    assert re.match(r"0:0\d ", extract(data, "talk.vtt", limits=limits).body)
    with pytest.raises(ExtractionError, match="larger than"):
        extract(data, "talk.vtt", limits=Limits(input_mb=1))


def test_nothing_in_them_is_markup_when_it_is_shown() -> None:
    shown = webvtt(("00:01.000", "00:02.000", "&lt;script&gt;x&lt;/script&gt; <script>y</script>"))
    assert "<script" not in render(extract(shown.encode(), "a.vtt").body).html


# In a source ----------------------------------------------------------------------------------------------------------


def pulled(path: Path, **options: object) -> Stored:
    stored = Stored()
    stored.pull(FolderConnector(str(path), options))
    return stored


def test_captions_in_a_folder_are_videos_that_lead_to_the_film(tmp_path: Path) -> None:
    base = "https://x.example/films"
    for name in ("talk.en.vtt", "talk.mp4", "Other talk.srt", "alone.vtt"):
        (tmp_path / name).write_text("" if name.endswith("mp4") else SUBRIP)
    (tmp_path / "Other talk.webm").mkdir()
    stored = pulled(tmp_path, base_url=base)
    told = {one.key: one for one in stored.told()}
    assert {one.kind for one in told.values()} == {"video"}
    assert (told["talk.en.vtt"].url, told["talk.en.vtt"].language) == (f"{base}/talk.mp4", "en")
    assert told["Other talk.srt"].url == f"{base}/Other%20talk.srt"
    assert (told["alone.vtt"].url, told["alone.vtt"].title) == (f"{base}/alone.vtt", "Alone")
    (tmp_path / "alone.mov").write_bytes(b"film")
    stored.pull(FolderConnector(str(tmp_path), {"base_url": base}))
    assert stored.documents["alone.vtt"].url == f"{base}/alone.mov", "a film that came later"
    assert [one.key for one in pulled(tmp_path).told()] == ["Other talk.srt", "alone.vtt", "talk.en.vtt"]


def test_captions_in_a_repository_too(repository: Repository) -> None:
    repository.write("films/talk.vtt", TALK.encode())
    repository.write("films/talk.webm", b"film")
    repository.write("films/broken.srt", b"no times")
    repository.commit("Begin", "Ana Lima <ana@example.com>")
    stored = Stored()
    stored.pull(GitConnector(str(repository.path), {"base_url": "https://x.example"}))
    (talk,) = stored.told()
    assert (talk.kind, talk.url) == ("video", "https://x.example/films/talk.webm")
    assert [one.name for one in talk.contributions] == ["Ana Lima"]
    assert ["no captions with times" in one.reason for one in stored.failures()] == [True]


@pytest.mark.django_db
def test_a_search_leads_to_the_second(source: Source, folder: Path, write: Callable[..., Path]) -> None:
    (folder / "talk.vtt").write_text(TALK.replace("WEBVTT", "WEBVTT\nUrl: https://v.example/talk", 1))
    sync(source)
    indexing.index_changes()
    (found,) = search("close valve kind:video", Viewer(None, frozenset({EVERYONE}))).results
    assert (found.passages[0].mark, found.passages[0].there) == ("4:10", "t=250")
    assert found.passage == "Ben: Then <mark>close</mark> the &lt;red&gt; <mark>valve</mark>."
