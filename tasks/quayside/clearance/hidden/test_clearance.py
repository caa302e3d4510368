"""What may be done with a declaration at every stage of its control, and what it costs."""

from typing import Any

import pytest
from quay import (
    BEEF,
    NOON,
    RADAR,
    SHIRTS,
    accepted,
    amend,
    assessment_of,
    authorise,
    call,
    conclude,
    control_of,
    deferring,
    find,
    get,
    guarantee,
    inspect,
    invalidate,
    later,
    line,
    notices,
    pay,
    post,
    postings,
    record,
    refusal,
    release,
    start,
    trader,
)

PENDING, BEGUN = "control_pending", "being_inspected"
STAGES = ("waived", "open", "started", "conform", "minor", "nonconform", "reopened", "again",
          "cleared", "found again")  # fmt: skip


def contest(made: dict[str, Any], control: str) -> None:
    path = f"/v1/controls/{control}/objection"
    assert get(f"/v1/controls/{control}")["verdict"] == "nonconform"
    status, _, _ = refusal("POST", path, {"trader_id": trader()})
    assert status == 403
    assert post(path, {"trader_id": made["trader_id"]})["state"] == "reopened"


def again(made: dict[str, Any], *kinds: str) -> None:
    """Have a control repeated by another inspector, who finds this."""
    control = inspect(made, "origin", "documents")
    contest(made, control)
    start(control, "otto")
    for kind in kinds:
        find(control, kind, 100, "otto")
    conclude(control, "otto")


def at_stage(stage: str, owner: str) -> Any:
    """A declaration whose control has come so far."""
    made = accepted(owner, line(goods=SHIRTS if stage == "waived" else BEEF))
    if stage in ("waived", "open"):
        return made
    if stage == "started":
        start(control_of(made)["id"])
    elif stage in ("conform", "minor"):
        inspect(made, *(["documents"] if stage == "minor" else []))
    elif stage == "cleared":
        again(made)
    elif stage == "found again":
        again(made, "origin", "documents")
    else:
        control = inspect(made, "origin", "documents")
        if stage != "nonconform":
            contest(made, control)
        if stage == "again":
            start(control, "otto")
    return made


def released(made: dict[str, Any]) -> tuple[str, str]:
    """What a release is refused for."""
    _, code, message = refusal("POST", f"/v1/declarations/{made['id']}/release")
    return code, message


def after(made: dict[str, Any], step: str, **body: Any) -> Any:
    """The state after a step that its trader takes, or what the step is refused for."""
    sent = {"trader_id": made["trader_id"], **body}
    answer = call("POST", f"/v1/declarations/{made['id']}/{step}", sent)
    found = answer.json()
    return found["state"] if answer.status == 200 else tuple(found["error"].values())


def amended(made: dict[str, Any]) -> Any:
    return after(made, "amendments", number=1, value_cents=60_000)


def invalidated(made: dict[str, Any]) -> Any:
    return after(made, "invalidation", reason="duplicate")


@pytest.mark.parametrize("stage", STAGES)
def test_goods_wait_for_the_control_and_for_a_correction(stage: str) -> None:
    made = at_stage(stage, trader())
    control = f"control {control_of(made)['id']}"
    code, message = released(made)
    pending = {"open": "open", "started": "started", "reopened": "reopened", "again": "started"}
    if stage in pending:
        assert (code, message) == (PENDING, f"{control} is {pending[stage]}")
    elif stage in ("nonconform", "found again"):
        assert (code, message) == ("not_corrected", f"{control} needs an amendment")
    else:
        assert code == "not_paid"
    assert get(f"/v1/declarations/{made['id']}") == made


@pytest.mark.parametrize("stage", STAGES)
def test_an_amendment_comes_before_the_control_or_because_of_it(stage: str) -> None:
    made = at_stage(stage, trader())
    control = control_of(made)["id"]
    fees = assessment_of(made)["fee_cents"]
    expected: Any = {"waived": "accepted", "open": "under_control", "nonconform": "accepted",
                     "found again": "accepted"}.get(stage)  # fmt: skip
    assert amended(made) == (expected or (BEGUN, f"control {control} has begun"))
    found = get(f"/v1/declarations/{made['id']}")
    corrected = int(stage in ("nonconform", "found again"))
    assert found["corrections"] == corrected
    assert found["amendments"] == int(expected is not None)
    assert assessment_of(made)["fee_cents"] - fees == 10_000 * corrected


@pytest.mark.parametrize("stage", STAGES)
def test_a_declaration_is_invalidated_when_nobody_inspects(stage: str) -> None:
    made = at_stage(stage, trader())
    control = control_of(made)["id"]
    expected: Any = BEGUN, f"control {control} has begun"
    if stage in ("waived", "open", "reopened"):
        expected = "invalidated"
    assert invalidated(made) == expected
    if expected == "invalidated":
        state = "waived" if stage == "waived" else "dropped"
        assert control_of(made)["state"] == state
        assert invalidated(made)[0] == "wrong_state"


@pytest.mark.parametrize("stage", STAGES)
def test_authority_invalidates_at_any_stage(stage: str) -> None:
    made = at_stage(stage, trader())
    before = control_of(made)["state"]
    assert invalidate(made, "authority")["state"] == "invalidated"
    dropped = stage in ("open", "reopened")
    assert control_of(made)["state"] == ("dropped" if dropped else before)


@pytest.mark.parametrize(
    ("kinds", "fee"),
    [
        ((), 0),
        (("documents",), 2_000),
        (("documents", "documents"), 4_000),
        (("origin",), 6_000),
    ],
)
def test_minor_findings_cost_by_how_grave_they_are(kinds: tuple[str, ...], fee: int) -> None:
    owner = deferring()
    made = accepted(owner, line(goods=BEEF), payment="deferment")
    inspect(made, *kinds)
    before = assessment_of(made)
    assert release(made)["state"] == "released"
    found = assessment_of(made)
    assert (before["fee_cents"], found["fee_cents"]) == (0, fee)
    charges = [("charge", fee)] if fee else []
    assert postings(found["id"]) == [("charge", before["total_cents"]), *charges]


@pytest.mark.parametrize(("kinds", "fee"), [((), 0), (("documents",), 2_000), (("origin",), 6_000)])
def test_only_the_last_inspector_costs(kinds: tuple[str, ...], fee: int) -> None:
    made = accepted(deferring(), line(goods=BEEF), payment="deferment")
    again(made, *kinds)
    assert release(made)["state"] == "released"
    assert assessment_of(made)["fee_cents"] == fee


def test_what_is_corrected_costs_the_correction_alone() -> None:
    made = accepted(deferring(), line(goods=RADAR), payment="deferment")
    inspect(made, "misdescription")
    assert amend(made, proof="invoice")["state"] == "accepted"
    assert [each["state"] for each in notices(made["trader_id"], "amendment_needed")] == ["done"]
    assert release(made)["corrections"] == 1
    assert assessment_of(made)["fee_cents"] == 10_000


def test_what_is_corrected_may_be_amended_again_as_others_are() -> None:
    made = accepted(trader(), line(goods=BEEF))
    inspect(made, "origin", "documents")
    for value, fee, state in [(60_000, 10_000, "accepted"), (61_000, 12_500, "accepted")]:
        assert amend(made, value_cents=value)["state"] == state
        assert assessment_of(made)["fee_cents"] == fee
    assert get(f"/v1/declarations/{made['id']}")["corrections"] == 1
    assert released(made)[0] == "not_paid"
    assert invalidated(made)[0] == BEGUN


def test_what_waits_in_a_warehouse_pays_nothing_for_minor_findings() -> None:
    owner = trader()
    guarantee(owner, 1_000_000)
    authorise(owner, "warehouse")
    made = accepted(owner, line(goods=BEEF), procedure="warehouse")
    inspect(made, "documents")
    assert release(made)["state"] == "released"
    assert get(f"/v1/assessments?trader_id={owner}")["items"] == []


def test_a_fee_is_asked_for_after_the_payment() -> None:
    made = accepted(trader(), line(goods=BEEF))
    inspect(made, "documents")
    debt = assessment_of(made)
    assert released(made) == ("not_paid", f"{debt['total_cents']} cents are open")
    pay(debt["id"], debt["total_cents"])
    assert release(made)["state"] == "released"
    assert assessment_of(made)["state"] == "part_paid"
    assert invalidated(made)[0] == "wrong_state"


def test_a_correction_has_no_term() -> None:
    owner = trader()
    made = accepted(owner, line(goods=RADAR))
    inspect(made, "undeclared")
    assert record(owner) == ("poor", 8)
    late = later(NOON, days=91)
    body = {"trader_id": owner, "reason": "duplicate"}
    path = f"/v1/declarations/{made['id']}/invalidation"
    assert refusal("POST", path, body, at=late)[1] == "invalidation_closed"
    assert amend(made, at=late, value_cents=1_900_000)["state"] == "accepted"
