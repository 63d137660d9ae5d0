"""Formulas as LaTeX (contract capa.md 10.1)."""

from calc.parsing import Parser

_GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "iota",
    "kappa", "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "varphi", "chi", "psi",
    "omega",
}
_DOT = r"\cdot "


class _Rendered:
    def __init__(self, latex, tall, bare=None):
        self.latex = latex
        # Without the outermost parentheses.
        self.bare = latex if bare is None else bare
        # Whether parentheses around it must grow.
        self.tall = tall

    def in_parentheses(self):
        return (r"\left(%s\right)" if self.tall else "(%s)") % self.latex


def latex_preview(math_expr, variables=(), functions=(), case_sensitive=False):
    """The formula as LaTeX; unknown names are shown as typed."""
    if math_expr.strip() == "":
        return ""
    return _render(Parser(math_expr).tree).latex


def _symbol(name):
    lower = name[:1].lower() + name[1:]
    if lower in _GREEK or name in ("hbar", "infty"):
        return "\\" + name
    return name.replace("_", r"\_")


def _render(node):
    kind = node[0]
    if kind == "number":
        _, mantissa, exponent, percent = node
        suffix = r"\text{%}" if percent else ""
        if exponent is None:
            return _Rendered(mantissa + suffix, False)
        return _Rendered(r"%s\!\times\!10^{%s}%s" % (mantissa, exponent, suffix), True)
    if kind == "variable":
        first, _, second = node[1].partition("_")
        if second:
            return _Rendered("%s_{%s}" % (_symbol(first), _symbol(second)), False)
        return _Rendered(_symbol(node[1]), False)
    if kind == "call":
        inner = _render(node[2])
        if node[1] == "sqrt":
            return _Rendered(r"\sqrt{%s}" % inner.latex, inner.tall)
        name = {"log10": r"\log_{10}", "log2": r"\log_2"}.get(node[1], r"\text{%s}" % node[1])
        return _Rendered(name + inner.in_parentheses(), inner.tall)
    if kind == "group":
        inner = _render(node[1])
        return _Rendered(inner.in_parentheses(), inner.tall, inner.latex)
    if kind == "power":
        parts = [_render(part) for part in node[1]]
        latex = parts.pop().bare
        while parts:
            latex = "%s^{%s}" % (parts.pop().latex, latex)
        return _Rendered(latex, True)
    if kind == "parallel":
        parts = [_render(part) for part in node[1]]
        return _Rendered(r"\|".join(part.latex for part in parts), any(part.tall for part in parts))
    if kind == "product":
        return _product(node[1])
    terms = node[1]
    if len(terms) == 1 and terms[0][0] == "":
        return _render(terms[0][1])
    parts = [(sign, _render(term)) for sign, term in terms]
    return _Rendered("".join(sign + part.latex for sign, part in parts), any(part.tall for _, part in parts))


def _product(factors):
    """What stands around a `/` becomes a fraction, up to the next `*` after it."""
    if len(factors) == 1:
        return _render(factors[0][1])
    latex, tall, above, below = "", False, [], []
    for operator, factor in factors:
        part = _render(factor)
        if operator == "/":
            tall = True
            below.append(part)
            continue
        tall = tall or part.tall
        if below:
            latex += _fraction(above, below) + _DOT
            above, below = [], []
        above.append(part)
    latex += _fraction(above, below) if below else _dotted(above)
    return _Rendered(latex, tall)


def _fraction(above, below):
    return r"\frac{%s}{%s}" % tuple(
        side[0].bare if len(side) == 1 else _dotted(side) for side in (above, below))


def _dotted(parts):
    return _DOT.join(part.latex for part in parts)
