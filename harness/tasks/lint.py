"""The instruction's lint: domain words only, so that no arm is named or favoured."""

import re

# Words that name an architecture, this harness or a hypothesis. Whole words, any case.
FORBIDDEN = (
    r"micro-?services?",
    r"services?",
    r"monoliths?",
    r"monolithic",
    r"modular",
    r"modules?",
    r"packages?",
    r"gateways?",
    r"endpoints?",
    r"databases?",
    r"schemas?",
    r"http",
    r"clients?",
    r"servers?",
    r"process(es)?",
    r"programs?",
    r"architectures?",
    r"coupling",
    r"bounded contexts?",
    r"seam(bench)?",
    r"benchmarks?",
)
_PATTERN = re.compile(rf"\b({'|'.join(FORBIDDEN)})\b", re.IGNORECASE)


def architecture_words(instruction: str) -> list[tuple[int, str]]:
    """Each forbidden word with its line number, from 1."""
    return [
        (number, match.group(0))
        for number, line in enumerate(instruction.splitlines(), start=1)
        for match in _PATTERN.finditer(line)
    ]
