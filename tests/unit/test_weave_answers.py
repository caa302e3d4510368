"""The loom: what services answer each other with, and how long an arm may take to start."""

import shutil
from pathlib import Path

import yaml

from harness.pairs.weave import read_app, weave

LINDENHOF = Path(__file__).parents[2] / "fixtures/lindenhof"


def test_a_yes_or_no_crosses_the_wire_as_one():
    client = weave(read_app(LINDENHOF / "app"))["microservices/careplans/clients.py"]
    head, _, tail = client.partition("def has_consented(self, patient_id: str, kind: str)")
    assert head
    assert tail.startswith(" -> bool:\n        return bool(\n")


def test_an_app_says_how_long_its_arms_may_take_to_start(tmp_path: Path):
    shutil.copytree(LINDENHOF / "app", tmp_path / "app")
    path = tmp_path / "app/app.yaml"
    for told, seconds in (("start_seconds: 45\n", 45.0), ("", 30.0)):
        text = (LINDENHOF / "app/app.yaml").read_text(encoding="utf-8")
        path.write_text(text.replace("start_seconds: 90\n", told), encoding="utf-8")
        pair = yaml.safe_load(weave(read_app(tmp_path / "app"))["pair.yaml"])
        assert {arm["start_seconds"] for arm in pair["arms"].values()} == {seconds}
