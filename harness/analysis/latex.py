"""Tables in LaTeX with booktabs: what a page holds, and what runs over pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: "\\" + sign for sign in "&%$#_{}"},
}


PAGE_ROWS = 50
"""rows that one page has room for"""
_LATIN = "\u024f"
"""the last letter of which every LaTeX has a form"""
_SAME_TABLE = r"\addtocounter{table}{-1}"
"""a longtable takes a number, also without a caption"""


@dataclass(frozen=True)
class Part:
    """A tabular: its columns as LaTeX has them, their heads, and blocks of rows."""

    spec: str
    heads: Sequence[str]
    blocks: Sequence[Sequence[str]]


def lay_out(caption: str, name: str, parts: Sequence[Part]) -> str:
    r"""A `table*` for `\input` with the parts below each other, labelled `tab:name`.

    What no page holds is a `longtable` each.
    """
    rows = sum(len(block) for part in parts for block in part.blocks)
    lines = _on_a_page if rows <= PAGE_ROWS else _over_pages
    return "\n".join([*lines(rf"\caption{{{caption}}}", rf"\label{{tab:{name}}}", parts), ""])


def needs(packages: str, lines: Iterable[str]) -> str:
    """The comment above a table: what a document needs for it."""
    text = f"% Needs \\usepackage{{{packages}}}"
    if any(sign > _LATIN for line in lines for sign in line):
        text += ", and LuaLaTeX or XeLaTeX with a font that has the letters of its names"
    return text + "."


def escape_latex(text: str) -> str:
    """`text` with the characters that LaTeX reads as commands made literal."""
    return "".join(_SPECIAL.get(sign, sign) for sign in text)


def typeset(number: str) -> str:
    """A number with its signs as LaTeX sets them."""
    return number.replace("-", "$-$").replace("<", "$<$")


def tabular(spec: str, heads: Sequence[str], blocks: Iterable[Sequence[str]]) -> list[str]:
    """A booktabs tabular: columns, heads, and blocks of rows with a rule above each."""
    return [
        rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}",
        *_headed(heads),
        *_body(blocks),
        r"\bottomrule",
        r"\end{tabular}",
    ]


def _headed(heads: Sequence[str]) -> list[str]:
    return [r"\toprule", " & ".join(heads) + r" \\"]


def _body(blocks: Iterable[Sequence[str]]) -> list[str]:
    return [line for block in blocks for line in (r"\midrule", *map(_guarded, block))]


def _guarded(row: str) -> str:
    r"""The row; what stands above it, `\\` or a rule, would read a star or bracket as its own."""
    return "{}" + row if row.startswith(("*", "[")) else row


def _on_a_page(caption: str, label: str, parts: Sequence[Part]) -> list[str]:
    first, *others = (tabular(part.spec, part.heads, part.blocks) for part in parts)
    lines = [
        r"\begin{table*}",
        r"\centering\footnotesize",
        caption,
        label,
        *first,
        *(line for other in others for line in (r"\par\medskip", *other)),
        r"\end{table*}",
    ]
    return [needs("booktabs", lines), *lines]


def _over_pages(caption: str, label: str, parts: Sequence[Part]) -> list[str]:
    first, *others = parts
    lines = [
        r"\begingroup\footnotesize\setlength{\LTcapwidth}{\textwidth}",
        *_long(first, rf"{caption}{label} \\"),
        *(line for other in others for line in (_SAME_TABLE, *_long(other))),
        r"\endgroup",
    ]
    return [
        needs("booktabs,longtable", lines),
        r"% A longtable breaks over pages in one column alone: \onecolumn in a paper of two.",
        *lines,
    ]


def _long(part: Part, *caption: str) -> list[str]:
    """As `tabular`, over pages: its heads are above each."""
    return [
        rf"\begin{{longtable}}{{@{{}}{part.spec}@{{}}}}",
        *caption,
        *_headed(part.heads),
        r"\endfirsthead",
        *_headed(part.heads),
        r"\midrule",
        r"\endhead",
        r"\bottomrule",
        r"\endfoot",
        *_body(part.blocks),
        r"\end{longtable}",
    ]
