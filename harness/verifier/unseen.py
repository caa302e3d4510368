"""Code that runs and is not looked at: text that is run, what is loaded past import, no Python.

Everything else here reads the files of Python. Only what the patch adds is a finding, and of code
only what the app's programs import: what an agent leaves lying about runs nowhere. This is a list
of ways, not a proof.
"""

import ast
import io
import re
import tokenize
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping

from .globs import matches, matching
from .job import Settings
from .literals import constant_strings, folded
from .reach import imports_of, module_of, reach
from .syntax import FunctionNode
from .walk import Unparsable, docstrings, parse

_LINK = "120000"
_COMPILED = (".so", ".pyd", ".dll", ".dylib", ".pyc", ".pyo", ".zip", ".egg", ".whl", ".pyz")
_BUILT_IN = frozenset(
    {"exec", "eval", "compile", "__import__", "__builtins__", "__loader__", "__path__", "__spec__"}
)
_NAMES = re.compile(
    r"exec|eval|compile|__spec__"
    r"|builtins\..+|marshal\..+|runpy\..+|zipimport\..+|imp\..+|_imp\..+|codeop\..+|shelve\..+"
    r"|importlib\.machinery\..+|ctypes\..+|cffi\..+|pkgutil\.resolve_name|pydoc\.locate"
    r"|(?:_?pickle|dill|cloudpickle)\.(?:loads?|_loads?|Unpickler|_Unpickler|\*)"
    r"|sys\.(?:path|meta_path|path_hooks|path_importer_cache|modules|\*)"
    r"|(?:os|posix)\.(?:system|popen|(?:exec|spawn|posix_spawn)\w+|posix_spawn|\*)"
    r"|(?:importlib\._bootstrap\w*|_frozen_importlib\w*|uvicorn\.importer|timeit|cProfile|bdb|pdb"
    r"|doctest|unittest|pytest|logging\.config|pygments|anyio\.to_process"
    r"|multiprocessing\.(?:util|reduction|connection))\..+"
    r"|importlib\.(?:metadata\.(?:EntryPoint\w*|entry_points|\*)|__dict__|\*)"
    r"|profile\.(?:run|runctx|Profile|\*)|trace\.(?:Trace|\*)|site\.(?:add\w+|\*)"
    r"|(?:os|posix|sys)\.__dict__|anyio\.(?:run_process|open_process|\*)|code\.compile_command"
    r"|pydantic\.(?:ImportString|create_model)|types\.FunctionType|typing\.(?:ForwardRef|_eval_type)"
    r"|subprocess\..+|_posixsubprocess\..+|pty\..+|asyncio\.(?:.+\.)?create_subprocess_\w+"
    r"|(?:.+\.)?(?:__import__|__builtins__|__loader__|__path__|__code__|exec_module|load_module"
    r"|source_to_code|spec_from_file_location|spec_from_loader|module_from_spec|SourceFileLoader"
    r"|SourcelessFileLoader|ExtensionFileLoader|CodeType|load_extension|enable_load_extension"
    r"|InteractiveInterpreter|InteractiveConsole|__self__|__globals__|__annotations__|_gcd_import"
    r"|subprocess_exec|subprocess_shell|import_from_string)"
)
_QUOTED = re.compile(r"\b(?:exec|eval|__import__)\(|__builtins__")
"""What quoted code would say: an annotation in quotes is run by whoever asks for its type."""
_PLAIN = ("utf-8", "utf-8-sig", "ascii", "iso-8859-1")
_BY_NAME = "importlib.import_module"


def unseen(
    base: Mapping[str, bytes], tree: Mapping[str, bytes], settings: Settings
) -> Iterator[str]:
    """Every finding, file by file."""
    changed = [
        path
        for path in sorted(base.keys() | tree.keys())
        if (base.get(path) != tree.get(path) or _is_new_link(path, settings))
        and not matches(path, settings.ignored)
    ]
    for path in changed:
        if _is_new_link(path, settings):
            yield f"{path}:1: a link, and what it leads to is not looked at"
        if path in tree and path.lower().endswith(_COMPILED):
            yield f"{path}:1: may be code that is not looked at"
    known = Counter(told for path in changed for told, _ in _ways(path, base.get(path, b"")))
    suspects = {path: list(_added(path, tree.get(path, b""), known)) for path in changed}
    is_foreign = _foreign(settings)
    for path in changed:
        if path not in base and is_foreign(path):
            suspects[path].append(f"{path}:1: the app runs what is no part of it")
    if any(suspects.values()):
        run = running(tree, settings)
        yield from (found for path in changed if path in run for found in suspects[path])


def _is_new_link(path: str, settings: Settings) -> bool:
    before, now = settings.base_modes.get(path), settings.tree_modes.get(path)
    return now == _LINK and before != _LINK


def running(tree: Mapping[str, bytes], settings: Settings) -> frozenset[str]:
    """The files that the app's programs import; all its own, where that cannot be told."""
    # Sorted, for a package comes after a module of the same name and is the one that runs.
    python = {path: tree[path] for path in sorted(tree) if path.endswith(".py")}
    modules = {module_of(path): path for path in python}
    imports = imports_of(python)
    for path, targets in imports.items():
        targets |= {modules[name] for name in _named(path, python[path], modules)}
    found = reach(imports, program_files(tree))
    if not found or any(b"import_module" in python[path] for path in found):
        is_foreign = _foreign(settings)
        found |= {path for path in python if not is_foreign(path)}
    return frozenset(found)


def _foreign(settings: Settings) -> Callable[[str], bool]:
    """What is no part of the app: protected files and tests."""
    return matching((*settings.protected, f"{settings.tests}/**"))


def _named(path: str, text: bytes, modules: Collection[str]) -> set[str]:
    """The modules whose names are strings of a file, which import_module and its like may get."""
    try:
        texts = {text for text, _ in constant_strings(parse(path, text))}
    except Unparsable:
        return set()
    near = tuple(f".{text.lstrip('.')}" for text in texts if text.startswith("."))
    return {name for name in modules if name in texts or f".{name}".endswith(near)}


def program_files(tree: Mapping[str, bytes]) -> list[str]:
    """The files that app.toml starts, as far as it can be read."""
    try:
        declared = tomllib.loads(tree["app.toml"].decode())["programs"].values()
        modules = [str(program["module"]).partition(":")[0] for program in declared]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []
    places = [module.replace(".", "/") for module in modules]
    return [p for place in places for p in (f"{place}.py", f"{place}/__init__.py") if p in tree]


def _added(path: str, text: bytes, known: Counter[str]) -> Iterator[str]:
    lines = set()
    for told, line in _ways(path, text):
        known[told] -= 1
        if known[told] < 0 and line not in lines:
            lines.add(line)
            yield f"{path}:{line}: runs code that is not looked at: {told[:80]}"


def _ways(path: str, text: bytes) -> list[tuple[str, int]]:
    """The ways to run such code that a file of Python has, each with its line."""
    if not path.endswith(".py"):
        return []
    try:
        module = parse(path, text)
    except Unparsable:
        return []  # Python cannot run it, or it is a finding by itself
    origins = origins_of(module)
    nodes = tuple(ast.walk(module))
    left_out = docstrings(nodes)
    by_constant = {id(node.func) for node in nodes if isinstance(node, ast.Call) and _plain(node)}
    every = (
        (told, node.lineno)
        for node in nodes
        if isinstance(node, (ast.expr, ast.ImportFrom)) and id(node) not in left_out
        for told in _said(node, origins)
        if not (told == _BY_NAME and id(node) in by_constant)
    )
    coded = [] if is_plain(text) else [(f"text in {_coding(text)}", 1)]
    return coded + [(told, line) for told, line in every if _QUOTED.search(told) or _is_way(told)]


def is_plain(text: bytes) -> bool:
    """Whether a file is in a coding that can be searched by line."""
    return _coding(text) in _PLAIN


def _coding(text: bytes) -> str:
    """How a file is written, as it says itself."""
    lines = io.BytesIO(re.sub(rb"\r\n?", b"\n", text))
    try:
        return tokenize.detect_encoding(lines.readline)[0]
    except SyntaxError:  # Python reads what stands above the coding by it, too
        return "a coding that its first lines are not in"


def _is_way(told: str) -> bool:
    return told == _BY_NAME or _NAMES.fullmatch(told) is not None


def _said(node: ast.AST, origins: Mapping[str, str]) -> Iterator[str]:
    """What a node names, from the module that it comes from; a string as it is."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        yield full_name(node, origins)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        names = (f"{node.module}.{alias.name}" for alias in node.names)
        yield from (name for name in names if name != _BY_NAME)
    elif isinstance(node, ast.Call):
        yield from _asked(node, origins)
    elif (text := folded(node)) and _QUOTED.search(text):
        yield text


def _asked(call: ast.Call, origins: Mapping[str, str]) -> Iterator[str]:
    """What a call gives that asks for an attribute or a module, `*` where any may be asked for."""
    texts = [folded(argument) for argument in call.args[:2]]
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name == "getattr" and len(texts) == 2:
        yield f"{full_name(call.args[0], origins)}.{texts[1] or '*'}"
    if name == "vars" and texts:
        yield f"{full_name(call.args[0], origins)}.__dict__"
    if full_name(call.func, origins) in ("operator.attrgetter", "operator.methodcaller"):
        yield from (f"?.{word}" for text in texts for word in (text or "").split("."))
    if texts and texts[0] and full_name(call.func, origins) == _BY_NAME:
        yield f"{texts[0]}.*"


def _plain(call: ast.Call) -> bool:
    """Whether the first thing that a call is given is a constant string."""
    return bool(call.args) and folded(call.args[0]) is not None


def full_name(node: ast.expr, origins: Mapping[str, str]) -> str:
    """A name with the module that it comes from; `?` stands for what is not told."""
    if isinstance(node, ast.Name):
        return origins.get(node.id, node.id if node.id in _BUILT_IN else "?")
    return (
        f"{full_name(node.value, origins)}.{node.attr}" if isinstance(node, ast.Attribute) else "?"
    )


def origins_of(module: ast.Module) -> dict[str, str]:
    """Names -> what was imported by them. A built-in name is taken only by what always runs."""
    found: dict[str, str] = {}
    for node in ast.walk(module):
        taken = dict(_taken(node))
        found |= {k: v for k, v in taken.items() if k not in _BUILT_IN or node in module.body}
    return found


def _taken(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            root = alias.name.partition(".")[0]
            yield alias.asname or root, alias.name if alias.asname else root
    elif isinstance(node, ast.ImportFrom):
        module = "?" if node.level else str(node.module)
        yield from ((alias.asname or alias.name, f"{module}.{alias.name}") for alias in node.names)
    elif isinstance(node, FunctionNode) and node.name in _BUILT_IN:
        yield node.name, "?"
