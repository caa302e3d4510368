"""Ages before, on and after a birthday, wherever they decide something."""

import pytest
from clinic import estimate, insured, missed, patient, put, refused

ON = "2026-03-03T20:00:00Z"
TURNS_18 = [("2008-03-03", 18), ("2008-03-04", 17), ("2008-12-31", 17), ("2007-12-31", 18)]


@pytest.mark.parametrize(("born_on", "age"), TURNS_18)
def test_who_is_not_of_age_makes_no_copayment(born_on: str, age: int) -> None:
    found = estimate(insured("statutory_basic", born_on=born_on), "CO10*1", at=ON)
    assert found["shares"][0]["copay_cents"] == (500 if age >= 18 else 0)
    assert found["patient_cents"] == (500 if age >= 18 else 0)


@pytest.mark.parametrize(("born_on", "age"), TURNS_18)
def test_who_is_not_of_age_pays_half_a_fee(born_on: str, age: int) -> None:
    assert missed(patient(born_on), at=ON)["fee_cents"] == (3_000 if age >= 18 else 1_500)


@pytest.mark.parametrize(
    ("born_on", "at", "needed"),
    [
        ("2012-03-03", ON, False),
        ("2012-03-04", ON, True),
        ("2012-12-31", ON, True),
        ("2012-02-29", "2026-02-28T23:59:59Z", True),
        ("2012-02-29", "2026-03-01T00:00:00Z", False),
    ],
)
def test_a_guardian_decides_until_the_birthday(born_on: str, at: str, needed: bool) -> None:
    path = f"/v1/patients/{patient(born_on)}/consents"
    body = {"kind": "messages", "decision": "given"}
    if needed:
        assert refused("PUT", path, body, at=at) == (403, "guardian_needed")
    else:
        assert put(path, body, at=at)["decision"] == "given"
