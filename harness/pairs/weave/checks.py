"""What must hold between app.yaml and the domain code; each error names file, line and key."""

import ast
from graphlib import CycleError, TopologicalSorter

from harness.errors import BadInput
from harness.pairs.weave.couplings import check_couplings
from harness.pairs.weave.crossing import check_answered, check_asked
from harness.pairs.weave.failures import check_errors, check_left_out
from harness.pairs.weave.models import check_models, check_types
from harness.pairs.weave.names import check_names
from harness.pairs.weave.operations import check_operations, check_routes
from harness.pairs.weave.sources import App, Context
from harness.pairs.weave.stored import check_stored

_GIVEN = {"store", "now", "new_id"}
"""what a service is made of beside the contexts that it asks"""


def check(app: App) -> None:
    """Raises BadInput for the first thing that does not hold."""
    check_names(app)
    check_errors(app)
    check_types(app)
    _check_contexts(app)
    for context in app.contexts.values():
        _check_parts(app, context)
        check_stored(app, context)
        check_asked(app, context)
        check_answered(app, context)
        _check_imports(app, context)
        check_models(app, context)
        check_operations(app, context)
    check_left_out(app)
    _check_circles(app)
    check_routes(app)
    check_couplings(app)


def _check_contexts(app: App) -> None:
    for context in app.contexts.values():
        if context.service not in context.module.classes:
            told = f"{context.module.path}: no class {context.service}, which answers for it"
            raise app.wrong(told, "contexts", context.name)
        context.module.check_dataclass(context.service)
    if not any(context.is_public for context in app.contexts.values()):
        raise app.wrong("none has operations, so nothing can be asked", "contexts")


def _check_parts(app: App, context: Context) -> None:
    ports = app.ports(context)
    for name, kind in context.parts.items():
        if name not in ports and name not in _GIVEN:
            line = context.module.line(context.service, name)
            raise BadInput(f"{context.module.path}:{line}: {context.service}.{name}: "
                           f"{kind} answers for no context")  # fmt: skip


def _check_imports(app: App, context: Context) -> None:
    """What a context takes of its neighbours: errors, its store, and whom it asks."""
    services = {name: {other.service} for name, other in app.contexts.items()}
    offered = services | {"stores": {str(context.store)}}
    offered["errors"] = {*app.spec.errors, "DomainError"}
    for node in context.module.nodes:
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        where = f"{context.module.path}:{node.lineno}"
        if node not in context.module.tree.body or node.level > 1 or node.module not in offered:
            told = "a domain file imports from .errors, .stores and contexts, at its top"
            raise BadInput(f"{where}: {ast.unparse(node)}: {told}")
        for alias in node.names:
            if alias.name not in offered[node.module]:
                told = f"{alias.name} is not among the errors of app.yaml"
                if node.module != "errors":
                    told = f"only {', '.join(sorted(offered[node.module]))} comes from there"
                raise BadInput(f"{where}: {told}")
            if alias.asname:
                raise BadInput(f"{where}: {alias.name} keeps its name: write no `as`")


def _check_circles(app: App) -> None:
    """Contexts that ask one another in a circle cannot be made one after the other."""
    asks = {name: {other.name for other in app.ports(context).values()}
            for name, context in app.contexts.items()}  # fmt: skip
    try:
        TopologicalSorter(asks).prepare()
    except CycleError as error:
        names = list(reversed(error.args[1]))
        told = f"{' asks '.join(names)}: none of them can be made first"
        raise app.wrong(told, "contexts", names[0]) from None
