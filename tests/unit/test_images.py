"""The image that sandboxes are made of, as an engine knows it."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import docker
import pytest

from harness import sandbox
from harness.errors import EngineGone
from harness.paths import Checkout, find_checkout
from harness.sandbox.images import (
    REPOSITORY,
    Image,
    _ensure_wheels,
    _pull,
    _recipe,
    ensure_image,
)
from tests.samples import make_checkout
from tests.sandboxes import say
from tests.scripted_engine import Answers, serving


@contextmanager
def engine_with(image_id: str) -> Iterator[docker.DockerClient]:
    """An engine that has every image that it is asked for, under one id."""

    class Engine(Answers):
        def do_GET(self) -> None:  # noqa: N802 - http.server's word
            self.say({"Id": image_id})

    with (
        serving(Engine) as address,
        closing(docker.DockerClient(address, version="1.43")) as client,
    ):
        yield client


def test_images_of_one_recipe_on_two_bases_are_told_apart() -> None:
    found: list[Image] = []
    for image_id in ("sha256:of-debian", "sha256:of-debootstrap"):
        with engine_with(image_id) as client:
            found.append(ensure_image(client, say))
    assert [image.digest for image in found] == ["sha256:of-debian", "sha256:of-debootstrap"]
    assert {image.tag for image in found} == {found[0].tag}
    assert found[0].tag.startswith(f"{REPOSITORY}:")


def test_an_image_is_another_when_a_byte_of_what_it_is_made_from_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags: list[str] = []
    for name, more in (("one", b""), ("same", b""), ("other", b"\n")):
        root = make_checkout(tmp_path / name)
        with (root / "fixtures/requirements.lock").open("ab") as lock:
            lock.write(more)
        monkeypatch.setenv("SEAMBENCH_HOME", str(root))
        with engine_with("sha256:1") as client:
            tags.append(ensure_image(client, say).tag)
    assert tags[0] == tags[1] != tags[2]


def test_the_recipe_holds_what_runs_inside_with_its_bytes() -> None:
    folder, checkout = Path(sandbox.__file__).parent, find_checkout()
    inside = {f"inside/{path.name}": path.read_bytes() for path in folder.glob("inside/*.py")}
    recipe = _recipe(checkout)
    assert "inside/app.py" in inside
    assert {name: recipe.get(name) for name in inside} == inside
    assert recipe["Dockerfile"] == (folder / "Dockerfile").read_bytes()
    assert recipe["requirements.lock"] == (checkout.fixtures / "requirements.lock").read_bytes()


class Building(Answers):
    """An engine with a base image, which dies in the middle of every long answer."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # noqa: N802 - http.server's word
        if f"/{REPOSITORY}:" in self.path:
            self.say({"message": "No such image"}, 404)
        else:
            self.say({"Id": "sha256:1", "ApiVersion": "1.43", "Arch": "amd64"})

    def do_POST(self) -> None:  # noqa: N802 - http.server's word
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.begin()
        self.close_connection = True

    def begin(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b'14\r\n{"status": "begun"}\n\r\n14\r\n{"sta')


class Silent(Building):
    """An engine whose registry takes the call and says no word."""

    def begin(self) -> None:
        Event().wait(5)


class Faltering(Building):
    """An engine whose registry falls silent after its first words."""

    def begin(self) -> None:
        super().begin()
        Event().wait(5)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A checkout of its own, for engines that lack our image."""
    monkeypatch.setenv("SEAMBENCH_HOME", str(make_checkout(tmp_path / "home")))
    return find_checkout()


def wheels_of(checkout: Checkout, machine: str) -> Path:
    """A folder in which all wheels for a machine are, as far as anybody looks."""
    lock = hashlib.sha256((checkout.fixtures / "requirements.lock").read_bytes()).hexdigest()
    folder = checkout.cache / f"wheels-{machine}-{lock[:12]}"
    folder.mkdir(parents=True)
    (folder / "complete").touch()
    return folder


def test_an_engine_that_dies_while_the_image_is_built_is_gone_in_one_line(
    checkout: Checkout,
) -> None:
    wheels_of(checkout, "x86_64")
    with (
        serving(Building) as address,
        closing(docker.DockerClient(address, version="1.43")) as client,
        pytest.raises(EngineGone, match="building the sandbox image: the container engine is gone"),
    ):
        ensure_image(client, say)


@pytest.mark.parametrize("engine", [Building, Silent, Faltering])
def test_a_pull_that_dies_or_stalls_is_given_up(
    engine: type[Answers], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(engine) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        start = time.monotonic()
        assert not _pull(patience=1)
        assert time.monotonic() - start < 4


def test_wheels_of_another_machine_are_not_taken(checkout: Checkout) -> None:
    mine, other = wheels_of(checkout, "x86_64"), wheels_of(checkout, "aarch64")
    for machine, wheels in (("amd64", mine), ("arm64", other)):

        class Engine(Answers):
            arch = machine

            def do_GET(self) -> None:  # noqa: N802 - http.server's word
                self.say({"Arch": self.arch})

        with (
            serving(Engine) as address,
            closing(docker.DockerClient(address, version="1.43")) as client,
        ):
            assert _ensure_wheels(client, checkout, say) == wheels
