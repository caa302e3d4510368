"""Do traders leave their record and their guarantees to a class each, which stand alone?"""

from verifier.receivers import asked, storage
from verifier.tree import Tree

OF_RECORD = frozenset({
    "add_infringement", "save_infringement", "infringements", "infringements_about",
})  # fmt: skip
OF_GUARANTEES = frozenset({
    "save_guarantee", "get_guarantee", "save_reservation", "get_reservation", "open_reservations",
})  # fmt: skip
OF_TRADERS = frozenset({
    "add_trader", "get_trader", "find_eori", "add_authorisation", "save_authorisation",
    "authorisations",
})  # fmt: skip
THEIRS = {"Record": OF_RECORD, "Guarantees": OF_GUARANTEES, "Traders": OF_TRADERS}
MADE_BY = {"Infringement": "Record", "Guarantee": "Guarantees", "Reservation": "Guarantees"}


def the_storage_is_divided(tree: Tree) -> str | None:
    domain = tree.context("traders").domain
    every = OF_RECORD | OF_GUARANTEES | OF_TRADERS
    store = storage(domain.modules)
    for name, asks in THEIRS.items():
        found = domain.class_(name)
        used = asked(found.node, store) & every
        if wrong := used - asks:
            return f"{found} asks the storage for {min(wrong)}"
        if missing := asks - used:
            return f"{found} does not ask the storage for {min(missing)}"
    for function in domain.functions():
        inside = function.qualname.split(".")[0] in THEIRS
        if not inside and every & asked(function.node, store):
            return f"{function} asks the storage too"
    return None


def nobody_else_makes_their_records(tree: Tree) -> str | None:
    domain = tree.context("traders").domain
    for function in domain.functions():
        for record, owner in MADE_BY.items():
            if record in function.calls() and function.qualname.split(".")[0] != owner:
                return f"{function} makes an object of {record}, which {owner} should"
    return None


def neither_knows_the_other(tree: Tree) -> str | None:
    domain = tree.context("traders").domain
    pairs = (("Record", ("Guarantees", "Traders")), ("Guarantees", ("Record", "Traders")))
    for name, others in pairs:
        found = domain.class_(name)
        for other in others:
            if other in found.mentions() or other in found.bases:
                return f"{found} knows {other}"
    return None


def traders_keep_their_operations(tree: Tree) -> str | None:
    assert tree.base is not None
    domain = tree.context("traders").domain
    known = tree.base.context("traders").domain
    traders = domain.class_("Traders")
    for name in known.class_("Traders").methods:
        if name.startswith("_"):
            continue
        if name not in traders.methods:
            return f"{traders} has no {name} any more"
        now, before = (each.function(f"Traders.{name}") for each in (domain, known))
        if now.parameters != before.parameters:
            return f"Traders.{name} takes something else than before"
    for part in ("Record", "Guarantees"):
        if part in traders.bases:
            return f"{traders} is still one with {part}"
        if part not in traders.mentions():
            return f"{traders} does not use {part}"
    return None
