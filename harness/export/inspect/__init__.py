"""Trials as logs of Inspect: one log for each agent and model, one sample for each trial.

    log     export: the logs, their identity and their means, which Inspect works out itself
    sample  a trial: Resolved and the five factors as scores, its record as metadata, its patch
    talk    a conversation as messages
    events  the same as events, which Inspect's transcript and tables of messages are made of

The only place that knows Inspect, which comes with the extra `inspect`.
"""

from harness.errors import BadInput

try:
    import inspect_ai  # noqa: F401 - everything in this package needs it
except ImportError as error:
    raise BadInput(
        f"--format inspect: Inspect is not installed ({error}); pip install 'seambench[inspect]'"
    ) from None
