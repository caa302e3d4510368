"""A scaffold without a loop: the files go into one prompt, the edits come back in one answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.agents.conversation import Conversation
from harness.agents.edits import apply_edit, parse_edits
from harness.agents.packing import pack
from harness.agents.prompting import render
from harness.agents.protocol import AgentReport, Assignment
from harness.agents.reporting import reported
from harness.agents.session import Ended, Limits, Session
from harness.agents.sessions import SessionSource
from harness.agents.trajectory import ToolUse
from harness.errors import BadInput
from harness.llm import Message, Text
from harness.patch import FILE, LINK, Entry, Tree, read_workspace
from harness.sandbox import Sandbox

WORKSPACE_BYTES = 64 * 2**20
HEADROOM = 0.95
"""Share of the budget that is filled: the estimate of a request is no promise."""


@dataclass
class Applied:
    """What became of the edits in an answer."""

    good: int = 0
    bad: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class OneShot:
    """Files under the context budget in, search/replace blocks or whole files out."""

    sessions: SessionSource
    is_control: bool = False

    def work(self, assignment: Assignment, sandbox: Sandbox) -> AgentReport:
        session = self.sessions.open(assignment)
        tree = read_workspace(sandbox.get("/work", limit=WORKSPACE_BYTES)).tree
        files = _texts(tree)
        talk = _conversation(assignment, files, session.limits)
        applied, uses = Applied(), list[ToolUse]()

        def answer_once() -> None:
            _answer(session, talk, files, tree, sandbox, applied)

        report = reported("one_shot", session, talk, uses, answer_once)
        lines = "".join(f"edit left out: {reason}\n" for reason in applied.bad)
        return replace(
            report,
            log=f"{report.log}{applied.good} edits applied\n{lines}",
            edits_applied=applied.good,
            edits_failed=len(applied.bad),
        )


def _answer(
    session: Session,
    talk: Conversation,
    files: dict[str, str],
    tree: Tree,
    sandbox: Sandbox,
    applied: Applied,
) -> None:
    answer = session.ask(talk)
    changed: dict[str, str] = {}
    for edit in parse_edits(answer.message.text):
        trial = {**files, **changed}
        problem = apply_edit(edit, trial)
        after = changed if problem else changed | {edit.path: trial[edit.path]}
        problem = problem or _unplaceable(edit.path, after, tree)
        if problem is None:
            changed = after
            applied.good += 1
        else:
            applied.bad.append(f"{edit.path[:200] or '(no file)'}: {problem}")
    if not applied.good and not applied.bad and answer.stop != "refusal":
        applied.bad.append("(no file): the answer holds no edit")
    if changed:
        sandbox.put(_laid(changed, tree).tar(), "/work")
    raise Ended("refusal" if answer.stop == "refusal" else "stopped")


def _conversation(assignment: Assignment, files: dict[str, str], limits: Limits) -> Conversation:
    system, instruction = render("one_shot_system"), assignment.task.instruction
    tokens = (limits.context_tokens - limits.max_output_tokens) * HEADROOM
    room = int(tokens * limits.bytes_per_token) - len((system + instruction).encode()) - 300
    while True:
        shown, left_out = pack(files, assignment, room)
        text = render("one_shot_task", instruction=instruction, files=shown, left_out=left_out)
        talk = limits.conversation(system)
        talk.say(Message(role="user", parts=(Text(text=text),)))
        # What the names and the escapes of a request take is known only when it stands.
        if not shown or talk.fits:
            return talk
        room = int(room * HEADROOM)


def _texts(tree: Tree) -> dict[str, str]:
    """The files that are text; the others cannot be shown and stay as they are."""
    found: dict[str, str] = {}
    for path, entry in tree.entries.items():
        if entry.mode != LINK:
            try:
                found[path] = entry.content.decode()
            except UnicodeDecodeError:
                continue
    return found


def _unplaceable(path: str, changed: Mapping[str, str], tree: Tree) -> str | None:
    """Why a file that has changed, as others did, cannot lie at its path.

    It would be outside, below a file, on a link, or where there is no text.
    """
    old = tree.entries.get(path)
    if old is not None and path not in _texts(Tree({path: old})):
        return "not a plain text file"
    try:
        tree.overlay(_laid(changed, tree))
    except (BadInput, UnicodeEncodeError) as error:
        return str(error)[:200]
    return None


def _laid(changed: Mapping[str, str], tree: Tree) -> Tree:
    """The texts as files with the modes that they had. Raises BadInput where they make no tree."""
    modes = {path: entry.mode for path, entry in tree.entries.items()}
    return Tree({p: Entry(modes.get(p, FILE), text.encode()) for p, text in changed.items()})
