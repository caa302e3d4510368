"""The image of container sandboxes: content-addressed, built once."""

import fcntl
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException, ImageNotFound
from docker.utils import kwargs_from_env
from requests import Response
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from harness.errors import SandboxError
from harness.paths import Checkout, find_checkout
from harness.sandbox.engine import Announce, debian_like, engine_errors, install
from harness.sandbox.interpreter import check

LABEL = "seambench"
REPOSITORY = "seambench-sandbox"
PUBLIC_BASE = "debian:bookworm-slim"
LOCAL_BASE = "seambench-base:bookworm"
REGISTRY_PATIENCE = 60
"""Seconds without a word from the engine after which no registry is thought to answer."""

HERE = Path(__file__).parent
PROXIES = ("http_proxy", "https_proxy", "no_proxy")
WHEEL_PLATFORMS = ("manylinux_2_36", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
UNNEEDED = ("var/cache/apt/archives/*.deb", "usr/share/doc/*", "usr/share/man/*", "var/log/*")
APP = """#!/opt/venv/bin/python -I
import sys; sys.path.insert(0, "/opt/seambench"); from inside.app import main; main()
"""


@dataclass(frozen=True)
class Image:
    """A built image; `digest` is the engine's id of it.

    The tag holds the digest of the recipe, which says neither on which base it was built nor when.
    """

    tag: str
    digest: str


def ensure_image(client: docker.DockerClient, announce: Announce) -> Image:
    """The image, built if anything it is made from has changed."""
    checkout = find_checkout()
    recipe = _recipe(checkout)
    digest = hashlib.sha256(repr(sorted(recipe.items())).encode()).hexdigest()
    tag = f"{REPOSITORY}:{digest[:12]}"
    if found := _id(client, tag):
        return Image(tag, found)
    checkout.cache.mkdir(exist_ok=True)
    with (checkout.cache / "image.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # another process may be building it
        if found := _id(client, tag):
            return Image(tag, found)
        base = _ensure_base(client, checkout, announce)
        wheels = _ensure_wheels(client, checkout, announce)
        announce(f"building the sandbox image {tag} on {base}")
        return Image(tag, _build(client, tag, base, _context(recipe, wheels)))


def _recipe(checkout: Checkout) -> dict[str, bytes]:
    """Every file of the build context but the wheels, which the lock file stands for."""
    files = {f"inside/{path.name}": path.read_bytes() for path in (HERE / "inside").glob("*.py")}
    return files | {
        "Dockerfile": (HERE / "Dockerfile").read_bytes(),
        "requirements.lock": (checkout.fixtures / "requirements.lock").read_bytes(),
        "app": APP.encode(),
    }


def _id(client: docker.DockerClient, tag: str) -> str | None:
    """The engine's id of an image, or None where it has none by this name."""
    with engine_errors(f"looking for {tag}"):
        try:
            return str(client.images.get(tag).id)
        except ImageNotFound:
            return None


def _ensure_base(client: docker.DockerClient, checkout: Checkout, announce: Announce) -> str:
    for base in (LOCAL_BASE, PUBLIC_BASE):
        if _id(client, base):
            return base
    announce(f"pulling {PUBLIC_BASE}")
    if _pull():
        return PUBLIC_BASE
    announce("no image registry answers: making the same Debian release with debootstrap")
    _bootstrap(client, checkout)
    return LOCAL_BASE


class _Impatient(docker.APIClient):
    """The SDK lets a pull wait for ever, whatever the time limit of its client is."""

    def post(self, url: str | bytes, *args: Any, **kwargs: Any) -> Response:
        return super().post(url, *args, **kwargs | {"timeout": self.timeout})


def _pull(patience: int = REGISTRY_PATIENCE) -> bool:
    try:
        with _Impatient(timeout=patience, **kwargs_from_env()) as api:
            answers = api.pull(PUBLIC_BASE, stream=True, decode=True)
            return not any("error" in answer for answer in answers)
    except (DockerException, RequestException, HTTPError):
        return False


def _bootstrap(client: docker.DockerClient, checkout: Checkout) -> None:
    if os.geteuid() != 0 or not debian_like():
        raise SandboxError(f"{PUBLIC_BASE} cannot be pulled; pull or load it by hand")
    if not shutil.which("debootstrap"):
        install("debootstrap")
    folder = Path(tempfile.mkdtemp(prefix="debootstrap-", dir=checkout.cache))
    try:
        include = "--include=python3,python3-venv,git,ca-certificates"
        mirror = [url] if (url := _mirror()) else []
        check(["debootstrap", "--variant=minbase", include, "bookworm", f"{folder}/root", *mirror])
        out = ["--exclude=./" + pattern for pattern in UNNEEDED]
        check(["tar", "-C", f"{folder}/root", *out, "-cf", f"{folder}/base.tar", "."])
        name, _, tag = LOCAL_BASE.partition(":")
        with engine_errors("importing the base image"):
            said = client.api.import_image(f"{folder}/base.tar", changes=[f"LABEL {LABEL}=1"])
            # Podman passes over the tag of an import, and calls the image `latest`.
            client.api.tag(json.loads(said.splitlines()[-1])["status"], name, tag)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _mirror() -> str | None:
    """The mirror that the host's own apt uses for Debian's main archive."""
    ask = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]
    said = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.split()
    return next((site for site in said if site.rstrip("/").endswith("/debian")), None)


def _ensure_wheels(client: docker.DockerClient, checkout: Checkout, announce: Announce) -> Path:
    """The locked wheels, fetched on the host: its CA bundle and pip settings stay out of images."""
    lock = checkout.fixtures / "requirements.lock"
    with engine_errors("asking for the engine's architecture"):
        machine = str(client.version()["Arch"])
    machine = ARCHITECTURES.get(machine, machine)
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    wheels = checkout.cache / f"wheels-{machine}-{digest}"
    if (wheels / "complete").exists():
        return wheels
    announce(f"downloading the fixtures' wheels into {wheels}")
    target = ["--python-version", "3.11", "--implementation", "cp"]
    target += [word for abi in ("cp311", "abi3", "none") for word in ("--abi", abi)]
    target += [word for p in WHEEL_PLATFORMS for word in ("--platform", f"{p}_{machine}")]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    check([*pip, "--only-binary=:all:", *target, "-d", str(wheels), "-r", str(lock)])
    (wheels / "complete").touch()
    return wheels


def _context(recipe: dict[str, bytes], wheels: Path) -> bytes:
    files = recipe | {f"wheels/{path.name}": path.read_bytes() for path in wheels.glob("*.whl")}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def _build(client: docker.DockerClient, tag: str, base: str, context: bytes) -> str:
    """Build the image; its id. Raises SandboxError."""
    proxies = {name: os.environ[name] for name in PROXIES if name in os.environ}
    with engine_errors("building the sandbox image"):
        steps = client.api.build(
            fileobj=io.BytesIO(context),
            custom_context=True,
            tag=tag,
            buildargs={"BASE": base, **proxies},
            network_mode="none" if base == LOCAL_BASE else None,
            rm=True,
            forcerm=True,
            decode=True,
        )
        said = list(_lines(steps))
    if found := _id(client, tag):
        return found
    raise SandboxError(f"the sandbox image cannot be built: {'; '.join(said[-3:])}")


def _lines(steps: Iterator[dict[str, str]]) -> Iterator[str]:
    for step in steps:
        said = step.get("error") or step.get("stream") or ""
        if said.strip():
            yield said.strip()
