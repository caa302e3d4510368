"""The image that sandboxes are made of, as an engine knows it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import docker
import pytest

from harness import sandbox
from harness.paths import find_checkout
from harness.sandbox.images import REPOSITORY, Image, _recipe, ensure_image
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
