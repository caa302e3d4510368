"""An agent's tar becomes a tree or is refused; nothing else can happen."""

import gzip
import io
import tarfile
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import PatchRefused
from harness.patch import EXECUTABLE, FILE, LINK, Entry, Limits, Tree, Workspace, read_workspace

SPECIAL = [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
BLOCK = 512


def member(name: str, content: bytes = b"", **header: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in header.items():
        setattr(info, field, value)
    return info, content


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=kind, linkname=target)


def archive(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def folder(name: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.DIRTYPE, mode=0o755)


def resealed(header: bytes) -> bytes:
    """A header block with a right checksum."""
    blank = header[:148] + b" " * 8 + header[156:]
    return blank[:148] + b"%06o\0 " % sum(blank) + blank[156:]


def edited(tar: bytes, at: int, value: bytes, block: int = 0) -> bytes:
    start = block * BLOCK
    header = tar[start : start + BLOCK]
    changed = resealed(header[:at] + value + header[at + len(value) :])
    return tar[:start] + changed + tar[start + BLOCK :]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_reads_what_a_sandbox_writes_in_either_dialect(form: int) -> None:
    deep = "ordner/" * 40 + "日本 'x'"
    tar = archive(
        folder("."),
        folder("./a"),
        member("./a/plain", b"1\r\n", mode=0o644, mtime=1.5),
        member("./a/run", b"", mode=0o4755),
        member("./" + deep, b"\0\xff"),
        link("./a/link", "../" + deep),
        form=form,
    )
    assert read_workspace(tar) == Workspace(
        Tree(
            {
                "a/link": Entry(LINK, b"../" + deep.encode()),
                "a/plain": Entry(FILE, b"1\r\n"),
                "a/run": Entry(EXECUTABLE, b""),
                deep: Entry(FILE, b"\0\xff"),
            }
        )
    )


def test_reads_the_short_prefix_of_posix_headers() -> None:
    tar = archive(member("x" * 90 + "/" + "y" * 90, b"1"), form=tarfile.USTAR_FORMAT)
    assert list(read_workspace(tar).tree.entries) == ["x" * 90 + "/" + "y" * 90]


def test_leaves_out_git_folders_and_notes_the_nested_ones() -> None:
    tar = archive(
        member(".git/HEAD", b"x"),
        member(".git/objects/large", b"x" * 20),
        member("sub/.git/config", b"x"),
        member("sub/.git/HEAD", b"x"),
        member("module/.git", b"gitdir: ../.git"),
        member("kept", b"x"),
    )
    workspace = read_workspace(tar, limits=Limits(file_bytes=10))
    assert list(workspace.tree.entries) == ["kept"]
    assert workspace.notes == (
        "'sub/.git' was left out: a repository within the workspace",
        "'module/.git' was left out: a repository within the workspace",
    )


def test_leaves_out_ignored_files_whatever_they_are() -> None:
    tar = archive(
        member("a/__pycache__/m.pyc", b"x" * 20),
        link("a/__pycache__/out", "/etc"),
        member("a/__pycache__/pipe", type=tarfile.FIFOTYPE),
        member("a/m.py", b"x"),
    )
    read = read_workspace(tar, ("**/__pycache__/**",), Limits(file_bytes=10))
    assert read == Workspace(Tree({"a/m.py": Entry(FILE, b"x")}))


def test_hard_links_become_copies() -> None:
    tar = archive(
        member(".git/objects/x", b"1"),
        link("a", "./.git/objects/x", tarfile.LNKTYPE),
        link("b", "a", tarfile.LNKTYPE),
        link("s", "a"),
        link("t", "s", tarfile.LNKTYPE),
    )
    entries = read_workspace(tar).tree.entries
    assert entries["a"].content == entries["b"].content == b"1"
    assert entries["t"] == entries["s"] == Entry(LINK, b"a")


LARGE = member("large", b"x" * 11)
REFUSED = {
    "absolute path": ([member("/etc/passwd")], "'/etc/passwd' is an absolute path"),
    "path out": ([member("a/../../x")], r"'a/../../x' has a \.\."),
    "dot-dot folder": ([folder("..")], r"'\.\.' has a \.\."),
    "hidden dot-dot": ([member("././../x")], "plain form|has a"),
    "newline": ([member("a\nb")], r"'a\\nb' has a control"),
    "not UTF-8": ([member("a\udcff")], r"'a\\udcff' has a control character or is not UTF-8"),
    "long part": ([member("x" * 256)], "part longer than 255 bytes"),
    "git variant": ([member(".GIT/config")], "'.GIT/config' is taken for a .git folder"),
    "git short name": ([member("git~1/config")], "is taken for a .git folder"),
    "git with blank": ([member(".git /config")], "is taken for a .git folder"),
    "absolute link": ([link("l", "/etc/x")], "'l' is a link to the absolute path '/etc/x'"),
    "link out": ([link("a/l", "../../x")], "'a/l' is a link out of the tree"),
    "link out by a link": ([link("l", "."), link("m", "l/../x")], "'m' is a link out of the tree"),
    "link to itself": ([link("l", "l")], "'l' is a link that loops"),
    "file through a link": ([link("l", "d"), member("l/x")], "'l' is both a file and a folder"),
    "hard link out": ([link("h", "/etc/passwd", tarfile.LNKTYPE)], "'h' is a hard link to '/etc"),
    "hard link to nothing": ([link("h", "no", tarfile.LNKTYPE)], "'h' is a hard link to 'no'"),
    "hard link to itself": ([link("h", "h", tarfile.LNKTYPE)], "'h' is a hard link to 'h'"),
    "hard link to a folder": ([folder("d"), link("h", "d", tarfile.LNKTYPE)], "no file of the"),
    "copied link out": (
        [link("a/b/l", "../x"), link("m", "a/b/l", tarfile.LNKTYPE)],
        "'m' is a link out of the tree",
    ),
    "twice": ([member("a"), member("./a")], "'a' is there twice"),
    "folder twice": ([folder("a"), folder("a")], "'a' is there twice"),
    "file and folder": ([member("a"), folder("a/")], "'a' is there twice"),
    "file below a file": ([member("a"), member("a/b")], "'a' is both a file and a folder"),
    "large file": ([LARGE], "'large' is larger than 10 bytes"),
    "large together": ([member(n, b"x" * 9) for n in "abc"], "larger than 20 bytes together"),
    "many copies": (
        [member("a", b"x" * 9), *(link(n, "a", tarfile.LNKTYPE) for n in "bc")],
        "larger than 20 bytes together",
    ),
    "many files": ([member(n) for n in "abcdef"], "more than 5 files and folders"),
    "many empty folders": ([folder(n) for n in "abcdef"], "more than 5 files and folders"),
    "many folders": ([member("a/b/c/d/e/f")], "more than 5 files and folders"),
    "link for .gitmodules": ([member("f"), link(".gitmodules", "f")], "in place of .gitmodules"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_with_one_line_that_names_the_path(name: str) -> None:
    rows, message = REFUSED[name]
    tar = archive(*rows)
    with pytest.raises(PatchRefused, match=message) as caught:
        read_workspace(tar, limits=Limits(file_bytes=10, total_bytes=20, entries=5))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", SPECIAL)
def test_refuses_devices_and_pipes(kind: bytes) -> None:
    with pytest.raises(PatchRefused, match="'dev' is a device, a FIFO or a socket"):
        read_workspace(archive(member("dev", type=kind)))


FINE = archive(member("file", b"12345"))
EMPTY = archive(member("file"))
GNU_LONG = archive(member("n" * 300, b"12345"), form=tarfile.GNU_FORMAT)
PAX_LONG = archive(member("n" * 300, b"12345"))


def pax(records: bytes) -> bytes:
    header = archive(member("x", records, type=tarfile.XHDTYPE), form=tarfile.USTAR_FORMAT)
    return header[: (1 + -(-len(records) // BLOCK)) * BLOCK] + FINE


DAMAGED: dict[str, bytes] = {
    "empty": b"",
    "rubbish": b"rubbish" * 1000,
    "one block of zeros": bytes(BLOCK - 1),
    "gzip": gzip.compress(FINE),
    "cut in a header": FINE[:300],
    "cut in a body": FINE[: BLOCK + 3],
    "no end": FINE[: 2 * BLOCK],
    "rubbish after the end": FINE + b"x" * BLOCK,
    "wrong checksum": b"X" + FINE[1:],
    "huge size": edited(FINE, 124, b"77777777777\0"),
    "huge binary size": edited(FINE, 124, b"\x80" + b"\x7f" * 11),
    "negative size": edited(FINE, 124, b"\xff" * 12),
    "no octal size": edited(FINE, 124, b"9"),
    "old format": edited(FINE, 257, b"\0" * 8),
    "sparse": edited(EMPTY, 156, b"S"),
    "global header": edited(EMPTY, 156, b"g"),
    "contiguous": edited(EMPTY, 156, b"7"),
    "unknown type": edited(EMPTY, 156, b"Z"),
    "folder with a body": edited(FINE, 156, b"5"),
    "link with a body": edited(FINE, 156, b"2"),
    "two long names": GNU_LONG[: 2 * BLOCK] + GNU_LONG,
    "long name for nothing": GNU_LONG[: 2 * BLOCK] + bytes(2 * BLOCK),
    "two PAX headers": PAX_LONG[: 2 * BLOCK] + PAX_LONG,
    "PAX sparse": pax(b"22 GNU.sparse.major=1\n"),
    "PAX charset": pax(b"19 hdrcharset=EBCD\n"),
    "PAX negative size": pax(b"11 size=-1\n"),
    "PAX huge size": pax(b"16 size=9999999\n"),
    "PAX wrong length": pax(b"99 path=x\n"),
    "PAX zero length": pax(b"0 path=x\n"),
    "PAX no equals": pax(b"7 path\n"),
    "PAX no number": pax(b"path=x\n"),
    "PAX bomb": pax(b"131072 comment=%s\n" % (b"x" * (2**17 - 16))),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_refuses_a_damaged_or_tricky_tar(name: str) -> None:
    with pytest.raises(PatchRefused, match=r"not a plain uncompressed tar: .") as caught:
        read_workspace(DAMAGED[name])
    assert str(caught.value).isprintable()


def test_a_pax_path_with_dots_or_a_nul_is_checked_like_any_other() -> None:
    for path in (b"../../x", b"/etc/x", b"a\0b", b"a/.Git/x"):
        record = b" path=" + path + b"\n"
        with pytest.raises(PatchRefused, match=r"absolute|has a|taken for"):
            read_workspace(pax(b"%d%s" % (len(record) + 2, record)))


def test_many_hard_links_to_one_large_file_do_not_fill_the_memory() -> None:
    large = member("a", b"x" * 2**20)
    tar = archive(large, *(link(f"l{n}", "a", tarfile.LNKTYPE) for n in range(19_000)))
    with pytest.raises(PatchRefused, match="larger than 67108864 bytes together"):
        read_workspace(tar)


def test_a_wide_and_deep_bomb_is_refused_quickly() -> None:
    deep = [member(f"{n}/" + "d/" * 400 + "f") for n in range(200)]
    with pytest.raises(PatchRefused, match="more than 20000 files and folders"):
        read_workspace(archive(*deep))


SEEDS = [
    archive(
        folder("d"),
        member("d/f", b"content"),
        member("n" * 300, b"1"),
        link("l", "d/f"),
        link("h", "d/f", tarfile.LNKTYPE),
        link("long", "t" * 300),
        member("ü", b"2"),
        form=form,
    )
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)
]


def read_or_refused(tar: bytes) -> Tree:
    """The tree, or an empty one where the tar was refused with one line."""
    refusal = ""
    workspace = Workspace(Tree({}))
    try:
        workspace = read_workspace(tar)
    except PatchRefused as caught:
        refusal = str(caught)
    assert refusal.isprintable()
    return Tree(workspace.tree.entries)


UNSAFE = {"", ".", "..", ".git", ".GIT"}


def parts(tree: Tree) -> set[str]:
    """Every folder's and file's name."""
    return {part for path in tree.entries for part in path.split("/")}


Mutation = Callable[[bytes], bytes]


@st.composite
def overwritten(draw: st.DrawFn) -> Mutation:
    """Bytes within one block overwritten, and, mostly, the checksum put right again."""
    block, at = draw(st.integers(0, 20)), draw(st.integers(0, BLOCK - 1))
    value = draw(st.binary(min_size=1, max_size=12) | st.sampled_from([b"../", b"/", b"\xff" * 12]))
    seal = draw(st.integers(0, 4))

    def mutate(tar: bytes) -> bytes:
        where = block % (len(tar) // BLOCK)
        if seal:
            return edited(tar, at, value[: BLOCK - at], where)
        return tar[: where * BLOCK + at] + value + tar[where * BLOCK + at + len(value) :]

    return mutate


@st.composite
def retyped(draw: st.DrawFn) -> Mutation:
    block, kind = draw(st.integers(0, 20)), draw(st.binary(min_size=1, max_size=1))
    return lambda tar: edited(tar, 156, kind, block % (len(tar) // BLOCK))


@st.composite
def respliced(draw: st.DrawFn) -> Mutation:
    """Blocks dropped, doubled or moved; or the end cut off."""
    first, second, third = sorted(draw(st.tuples(*[st.integers(0, 20)] * 3)))
    order = draw(st.sampled_from(["ac", "abbc", "acb", "a", "ba", "ab"]))
    extra = draw(st.sampled_from([0, 0, 0, 1, 300]))

    def mutate(tar: bytes) -> bytes:
        a, b = tar[: first * BLOCK], tar[first * BLOCK : second * BLOCK + extra]
        parts = {"a": a, "b": b, "c": tar[max(second, third) * BLOCK :]}
        return b"".join(parts[name] for name in order) or tar[:extra]

    return mutate


MUTATIONS = st.lists(overwritten() | retyped() | respliced(), min_size=1, max_size=4)


@settings(
    max_examples=800, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(st.sampled_from(SEEDS), MUTATIONS)
def test_a_mutated_tar_is_read_or_refused_and_nothing_else(
    tar: bytes, mutations: list[Mutation]
) -> None:
    for mutate in mutations:
        tar = mutate(tar) if len(tar) >= BLOCK else tar
    assert not parts(read_or_refused(tar)) & UNSAFE


NAMES = st.lists(
    st.sampled_from(["a", "b", "..", ".", "", ".git", ".GIT", "é", "x\ny", "c" * 120]), max_size=4
).map("/".join)
TYPES = st.sampled_from([b"0", b"1", b"2", b"3", b"5", b"6"])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(NAMES, TYPES, NAMES), max_size=6), st.sampled_from([0, 1, 2]))
def test_any_mix_of_members_is_read_or_refused(
    rows: list[tuple[str, bytes, str]], form: int
) -> None:
    try:
        tar = archive(*(link(name, target, kind) for name, kind, target in rows), form=form)
    except ValueError:  # USTAR cannot hold the name
        return
    assert not parts(read_or_refused(tar)) & UNSAFE
