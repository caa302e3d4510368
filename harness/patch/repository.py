"""The base tree as a bare repository, and patches against it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from harness.errors import BadInput, PatchRefused
from harness.patch.archive import write_tar
from harness.patch.changes import Changes, count
from harness.patch.git import (
    ATTRIBUTES,
    CONFIG,
    Answer,
    Scratch,
    object_name,
    scratch,
    store_tree,
)
from harness.patch.names import shown
from harness.patch.tree import EXECUTABLE, FILE, LINK, Entry, Limits, Tree
from harness.patch.workspace import checked

PATCH_BYTES = 100 * 2**20
_PERSON = "Developer <developer@example.org>"
_DATE = "1735689600 +0000"
_DIFF = ("diff-tree", "-r", "--no-ext-diff", "--no-textconv", "--no-color")

# What the agent finds in .git/config. The identity lets it commit; nothing reads its commits.
_WORKSPACE_CONFIG = b"""\
[core]
	repositoryformatversion = 0
	filemode = true
	bare = false
[user]
	name = Developer
	email = developer@example.org
"""


@dataclass(frozen=True)
class Patch:
    """A patch in git's format with full object names, binary files included."""

    text: bytes
    changes: Changes

    @property
    def is_empty(self) -> bool:
        return not self.text


@dataclass(frozen=True)
class BaseRepository:
    """A bare repository with one commit, the base.

    Nothing writes to it once it is made, so any number of threads may use it.
    """

    folder: Path
    files: Tree
    tree: str
    """the name of the base's tree object"""
    objects: frozenset[str] = field(repr=False)
    """names of all objects of the base's files and folders"""
    contents: dict[str, bytes] = field(repr=False)
    """file contents by object name"""

    @classmethod
    def create(cls, folder: Path, files: Tree) -> Self:
        """Commit the files in a new folder. The same files give the same commit everywhere."""
        folder = folder.resolve()
        _lay_out(folder)
        with scratch(folder) as own:
            tree = store_tree(own, files.entries)
            commit = own.store("commit", _commit(tree))
            pack = str(folder / "objects" / "pack" / "pack")
            own.git("pack-objects", "--revs", "-q", pack, stdin=f"{commit}\n".encode()).expect()
            (folder / "refs" / "heads" / "main").write_text(f"{commit}\n")
            own.git("read-tree", tree).expect()
            (folder / "index").write_bytes(own.index.read_bytes())
            known = frozenset(path.parent.name + path.name for path in own.folder.glob("??/*"))
        contents = {object_name("blob", e.content): e.content for e in files.entries.values()}
        return cls(folder, files, tree, known, contents)

    def workspace_tar(self, prefix: str = "") -> bytes:
        """What an agent starts from: the base's files, and a .git with its one commit on `main`.

        There is no reflog, remote or hook, and the index is ready. For git to trust it, the
        folder that it is unpacked in must belong to the user who runs git.
        """
        rows = [(path, entry.mode, entry.content) for path, entry in self.files.entries.items()]
        rows += [(".git/config", 0o100644, _WORKSPACE_CONFIG)]
        packs = sorted((self.folder / "objects" / "pack").iterdir())
        paths = [self.folder / name for name in ("HEAD", "index", "refs/heads/main")]
        for path in (*paths, *packs):
            name = path.relative_to(self.folder).as_posix()
            rows.append((f".git/{name}", 0o100644, path.read_bytes()))
        return write_tar(rows, prefix)


def make_patch(base: BaseRepository, tree: Tree) -> Patch:
    """What leads from the base to the tree. The patch is empty where they are the same.

    Every patch has been applied once, so that it is known to give the tree back.
    """
    if tree == base.files:
        return Patch(b"", Changes())
    with scratch(base.folder, base.objects) as own:
        new = store_tree(own, tree.entries)
        # git writes renames that it cannot apply, as where a moved link leaves room for a folder.
        for renames in ("--find-renames", "--no-renames"):
            diff = (*_DIFF, renames, base.tree, new)
            text = own.git(*diff, "-p", "--binary", "--full-index").expect()
            if (
                not _apply(base, own, text).problem
                and own.git("write-tree").out.decode().strip() == new
            ):
                listing = own.git(*diff, "-z", "--raw", "--numstat").expect()
                return Patch(text, count(listing, text))
    raise PatchRefused("the workspace cannot be written as a patch that git applies")


def apply_patch(base: BaseRepository, text: bytes, limits: Limits | None = None) -> Tree:
    """The base with a patch applied: one of ours, of `git diff`, or written by hand.

    Raises PatchRefused for one that is empty, does not apply, or makes what no workspace may hold.
    """
    if not text.strip():
        raise PatchRefused("the patch is empty")
    if len(text) > PATCH_BYTES:
        raise PatchRefused(f"the patch is larger than {PATCH_BYTES // 2**20} MB")
    with scratch(base.folder, base.objects) as own:
        if problem := _apply(base, own, text).problem:
            raise PatchRefused(f"the patch does not apply: {problem}")
        listing = own.git("diff-index", "--cached", "--no-renames", "-z", base.tree).expect()
        entries = _changed(base, own, listing, limits or Limits())
    return checked(entries, limits or Limits())


def _apply(base: BaseRepository, own: Scratch, text: bytes) -> Answer:
    own.index.write_bytes((base.folder / "index").read_bytes())
    return own.git("apply", "--cached", "--whitespace=nowarn", "-", stdin=text)


def _lay_out(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(f"{folder} is not empty: a base repository needs a new folder")
    for name in ("objects/pack", "refs/heads", "info"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / "config").write_text(CONFIG)
    (folder / "info" / "attributes").write_text(ATTRIBUTES)


def _commit(tree: str) -> bytes:
    lines = (f"tree {tree}", f"author {_PERSON} {_DATE}", f"committer {_PERSON} {_DATE}")
    return "\n".join((*lines, "", "Initial commit", "")).encode()


def _changed(
    base: BaseRepository, own: Scratch, listing: bytes, limits: Limits
) -> dict[str, Entry]:
    entries = dict(base.files.entries)
    tokens = listing.split(b"\0")[:-1]
    total = 0
    for meta, raw_path in zip(tokens[::2], tokens[1::2], strict=True):
        _old_mode, mode, _old_name, name, _status = meta.decode().split(" ")
        path = raw_path.decode(errors="surrogateescape")
        if mode == "000000":
            del entries[path]
            continue
        if int(mode, 8) not in {FILE, EXECUTABLE, LINK}:
            raise PatchRefused(f"{shown(path)} has the mode {mode}, which is no file or link")
        entries[path] = Entry(int(mode, 8), _content(base, own, name, path, limits))
        total += len(entries[path].content)
        if total > limits.total_bytes:
            raise PatchRefused(f"the patch makes more than {limits.total_bytes} bytes")
    return entries


def _content(base: BaseRepository, own: Scratch, name: str, path: str, limits: Limits) -> bytes:
    if name in base.contents:
        return base.contents[name]
    content = own.load(name, limits.file_bytes)
    if content is None:
        raise PatchRefused(f"{shown(path)} is larger than {limits.file_bytes} bytes")
    return content
