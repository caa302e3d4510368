"""What the instruction's lint refuses and lets pass."""

import pytest

from harness.tasks.lint import architecture_words


@pytest.mark.parametrize(
    "word",
    ["service", "Microservices", "micro-service", "monolith", "MODULES", "endpoint", "database",
     "client", "processes", "architecture", "bounded context", "SeamBench"],
)  # fmt: skip
def test_a_word_that_names_an_architecture_is_found_with_its_line(word: str) -> None:
    assert architecture_words(f"Rename the rule.\nIn the {word}, too.\n") == [(2, word)]


@pytest.mark.parametrize(
    "text", ["A refund is a credit.", "The processing of jobs", "unserviceable", "clientele", ""]
)
def test_words_of_the_domain_pass(text: str) -> None:
    assert architecture_words(text) == []
