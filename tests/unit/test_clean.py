"""The command that removes what SeamBench made, before an engine that others use as well."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.benches import seambench
from tests.scripted_engine import Answers, serving

OURS, OTHERS = {"seambench": "1"}, {"maintainer": "somebody else"}


@dataclass
class Shelf:
    """What an engine has: containers, volumes and images by name, with their labels."""

    things: dict[str, dict[str, dict[str, str]]]
    hidden: set[str]
    """what is listed only where `all` is asked for: ended containers, images below others"""
    refused: list[str] = field(default_factory=list)
    going: set[str] = field(default_factory=set)
    """what is listed still, and is on its way"""
    stuck: set[str] = field(default_factory=set)
    """what the engine fails to remove"""

    def listed(self, kind: str, query: dict[str, list[str]]) -> list[dict[str, object]]:
        asked = json.loads(query.get("filters", ["{}"])[0]).get("label", [])
        everything = kind == "volumes" or query.get("all") in (["1"], ["True"], ["true"])
        return [
            {"Id": name, "Name": name, "Labels": labels, "RepoTags": []}
            for name, labels in self.things[kind].items()
            if (everything or name not in self.hidden)
            and all(labels.get(wanted) == text for wanted, text in map(_pair, asked))
        ]

    def answer(self, asked: str) -> object | None:
        """To a request that changes nothing; None where it is not known."""
        query = parse_qs(urlsplit(asked).query)
        match _parts(asked):
            case ["_ping"]:
                return "OK"
            case ["version"]:
                return {"ApiVersion": "1.43", "Components": []}
            case ["volumes"]:
                return {"Volumes": self.listed("volumes", query)}
            case ["containers" | "images" as kind, "json"]:
                return self.listed(kind, query)
            case ["containers" | "images" as kind, name, "json"] if name not in self.going:
                return {"Id": name, "Config": {"Labels": self.things[kind][name]}}
        return None


def _parts(asked: str) -> list[str]:
    return urlsplit(asked).path.removeprefix("/v1.43").strip("/").split("/")


def _pair(label: str) -> tuple[str, str]:
    key, _, text = label.partition("=")
    return key, text


@contextmanager
def engine_with(shelf: Shelf) -> Iterator[str]:
    """Where an engine answers that has these things; a removal takes them off the shelf."""

    class Engine(Answers):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802 - http.server's word
            answer = shelf.answer(self.path)
            if answer is None:
                self.refuse()
            else:
                self.say(answer)

        def do_DELETE(self) -> None:  # noqa: N802 - http.server's word
            kind, name = _parts(self.path)
            if name in shelf.going:
                self.say({"message": "removal is already in progress"}, 409)
            elif name in shelf.stuck:
                self.say({"message": "device or resource busy"}, 500)
            elif shelf.things[kind].pop(name, None):
                self.say([])
            else:
                self.refuse()

        def refuse(self) -> None:
            shelf.refused.append(f"{self.command} {self.path}")
            self.say({"message": "no such thing"}, 404)

    with serving(Engine) as address:
        yield address


def test_clean_removes_what_carries_our_label_and_nothing_of_others(tmp_path: Path) -> None:
    kinds = ("containers", "volumes", "images")
    names = {"ours": OURS, "ours-hidden": OURS, "others": OTHERS, "nobodys": {"seambench": "0"}}
    shelf = Shelf({kind: dict(names) for kind in kinds}, hidden={"ours-hidden"})
    with engine_with(shelf) as address:
        done = seambench(tmp_path, "clean", DOCKER_HOST=address)
    assert done.returncode == 0, done.stderr
    assert {kind: set(left) for kind, left in shelf.things.items()} == {
        kind: {"others", "nobodys"} for kind in kinds
    }
    assert shelf.refused == []
    assert "removed the containers, volumes and images of SeamBench" in done.stdout + done.stderr


def test_what_goes_by_itself_meanwhile_is_no_hindrance(tmp_path: Path) -> None:
    things = {"containers": {"ours": OURS, "going": OURS}, "volumes": {}, "images": {"image": OURS}}
    shelf = Shelf(things, hidden=set(), going={"going"})
    with engine_with(shelf) as address:
        done = seambench(tmp_path, "clean", DOCKER_HOST=address)
    assert done.returncode == 0, done.stderr
    assert things == {"containers": {"going": OURS}, "volumes": {}, "images": {}}


def test_what_cannot_be_removed_is_told_after_all_else_is_gone(tmp_path: Path) -> None:
    kinds = ("containers", "volumes", "images")
    things = {kind: {"ours": OURS, f"stuck-{kind}": OURS} for kind in kinds}
    shelf = Shelf(things, hidden=set(), stuck={f"stuck-{kind}" for kind in kinds})
    with engine_with(shelf) as address:
        done = seambench(tmp_path, "clean", DOCKER_HOST=address)
    assert done.returncode != 0
    assert things == {kind: {f"stuck-{kind}": OURS} for kind in kinds}
    assert "cleaning up: 3 stay; the first: device or resource busy" in done.stderr
    assert "removed the" not in done.stdout + done.stderr


def test_where_no_engine_answers_none_is_started_to_be_cleaned(tmp_path: Path) -> None:
    done = seambench(tmp_path, "clean", DOCKER_HOST=f"unix://{tmp_path}/none")
    assert done.returncode == 0, done.stderr
    assert "no container engine answers" in done.stderr
