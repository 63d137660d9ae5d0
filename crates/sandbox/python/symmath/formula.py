"""Expressions: from text, from the browser's MathML, and to LaTeX."""

import re
import xml.etree.ElementTree as ElementTree

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ϵ": "epsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "ϑ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda_", "μ": "mu", "µ": "mu",
    "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi",
    "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta",
    "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega", "ℏ": "hbar",
    "∞": "oo", "ⅇ": "e", "ⅈ": "i",
}
_OPERATORS = {
    "+": "+", "-": "-", "−": "-", "*": "*", "⋅": "*", "·": "*", "×": "*", "∗": "*", "/": "/", "÷": "/",
    "∕": "/", "^": "**", ",": ",",
}
_FUNCTIONS = {
    "sin", "cos", "tan", "sec", "csc", "cot", "arcsin", "arccos", "arctan", "asin", "acos", "atan", "sinh",
    "cosh", "tanh", "ln", "log", "exp", "sqrt", "abs", "hat", "det", "min", "max", "factorial", "conjugate",
}
_RENAMED = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "abs": "Abs", "ln": "log"}
_MAX_DEPTH = 60


def _sympy():
    try:
        import sympy
    except ImportError:
        raise RuntimeError("symbolic answers need the Python package sympy, which is not installed") from None
    return sympy


def to_latex(expr):
    """LaTeX as the page typesets it."""
    if expr is None:
        return ""
    from sympy import latex

    _sympy()
    text = latex(expr).replace(r"\XI", "XI")
    text = re.sub(r"script([a-zA-Z0-9]+)", r"\\mathcal{\1}", text)
    return "[mathjax]%s[/mathjax]<br/>" % (text[1:-1] if text.startswith("$") else text)


def my_evalf(expr, chop=False):
    """The numerical value of an expression or of each of a list."""
    if isinstance(expr, list):
        try:
            return [item.evalf(chop=chop) for item in expr]
        except Exception:
            return expr
    try:
        return expr.evalf(chop=chop)
    except Exception:
        return expr


def my_sympify(expr, normphase=False, matrix=False, abcsym=False, do_qubit=False, symtab=None):
    """Reads an expression. One-letter names that sympy keeps for itself are plain symbols here, `i` is the
    imaginary unit and `e` the base of the natural logarithms."""
    sympy = _sympy()
    names = symtab
    if not names:
        names = {name: sympy.Symbol(name) for name in ("p", "g", "Q", "I", "N", "ZZ", "XI")}
        names.update({"e": sympy.E, "i": sympy.I, "hat": sympy.Function("hat")})
        if do_qubit:
            from sympy.physics.quantum.qubit import Qubit
            from sympy.physics.quantum.state import Ket

            names.update({"qubit": Qubit, "Ket": Ket, "bit": sympy.Function("bit")})
        if abcsym:
            for letter in "abcdefghijklmnopqrstuvwxyz":
                names.setdefault(letter, sympy.Symbol(letter, real=True))
    value = sympy.sympify(expr, locals=names)
    if normphase and isinstance(value, list) and value and value[0].is_number:
        phase = sympy.exp(-sympy.I * sympy.arg(value[0]))
        value = [sympy.Mul(item, phase) for item in value]
    if matrix and isinstance(value, list) and value and all(isinstance(row, list) for row in value):
        if len({len(row) for row in value}) == 1:
            return sympy.Matrix(value)
    return value


def _tag(node):
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _own_text(node):
    return "".join(node.itertext()).strip()


class Formula:
    """An expression in presentation MathML, as the page's preview writes it."""

    def __init__(self, expr, asciimath=None, options=None):
        self.expr = expr.strip()
        self.asciimath = asciimath
        self.options = options or ""
        self.the_sympy = None

    @property
    def sympy(self):
        """The expression."""
        if self.the_sympy is None:
            self.the_sympy = self.make_sympy()
        return self.the_sympy

    def make_sympy(self):
        root = ElementTree.fromstring(self.expr)
        return my_sympify(
            self.infix(root), matrix="matrix" in self.options, do_qubit="qubit" in self.options)

    def infix(self, node):
        """The expression as sympy reads it."""
        return self._join(self._tokens(node, 0))

    def _group(self, node, depth):
        return self._join(self._tokens(node, depth))

    def _tokens(self, node, depth):
        """(kind, text) pairs: operand, function, operator, open, close."""
        if depth > _MAX_DEPTH:
            raise ValueError("the expression is nested too deeply")
        tag, children = _tag(node), [child for child in node if isinstance(child.tag, str)]
        depth += 1
        if tag == "mn":
            return [("operand", _own_text(node).replace(",", ""))]
        if tag in ("mi", "mtext"):
            return self._name(_own_text(node))
        if tag == "mo":
            return self._operator(_own_text(node))
        if tag in ("mspace", "annotation", "annotation-xml", "none"):
            return []
        if tag == "msup" and len(children) == 2:
            base = self._tokens(children[0], depth)
            if len(base) == 1 and base[0][0] == "function":
                # sin^2 x: the power is of the value.
                return [("power function", "%s\n%s" % (base[0][1], self._group(children[1], depth)))]
        parts = []
        if tag in ("mfrac", "msup", "msub", "msubsup", "mroot", "mover"):
            parts = [self._group(child, depth) for child in children]
        if tag == "mfrac" and len(parts) == 2:
            return [("operand", "((%s)/(%s))" % tuple(parts))]
        if tag == "msup" and len(parts) == 2:
            return [("operand", "((%s)**(%s))" % tuple(parts))]
        if tag == "msub" and len(parts) == 2:
            return [("operand", self._indexed(parts[0], parts[1]))]
        if tag == "msubsup" and len(parts) == 3:
            return [("operand", "((%s)**(%s))" % (self._indexed(parts[0], parts[1]), parts[2]))]
        if tag == "mroot" and len(parts) == 2:
            return [("operand", "((%s)**(1/(%s)))" % tuple(parts))]
        if tag == "mover" and len(parts) == 2:
            if _own_text(children[1]) in ("^", "\u02c6", "\u0302"):
                return [("operand", "hat(%s)" % parts[0])]
            raise ValueError("Illegal math: an accent")
        if tag == "msqrt":
            return [("operand", "sqrt(%s)" % self._sequence(children, depth))]
        if tag == "mfenced":
            items = [self._group(child, depth) for child in children]
            if len(children) == 1 and _tag(children[0]) == "mtable":
                return [("operand", items[0])]
            return [("open", "("), ("operand", ",".join(items)), ("close", ")")]
        if tag == "mtable":
            rows = []
            for row in children:
                cells = [self._sequence(list(cell), depth) for cell in row]
                rows.append("[%s]" % ",".join(cells))
            return [("operand", "[%s]" % ",".join(rows))]
        if tag in ("math", "mrow", "mstyle", "mpadded", "mphantom", "semantics", "mtd"):
            tokens = [token for child in children for token in self._tokens(child, depth)]
            # Brackets around a table belong to it.
            if len(tokens) == 3 and tokens[0][0] == "open" and tokens[1][1].startswith("[["):
                return [tokens[1]]
            return tokens
        raise ValueError("Illegal math: <%s>" % tag)

    def _sequence(self, children, depth):
        return self._join([token for child in children for token in self._tokens(child, depth)])

    @staticmethod
    def _indexed(base, index):
        name = re.sub(r"\W+", "", "%s_%s" % (base, index))
        if not name.isidentifier():
            raise ValueError("Illegal math: an index")
        return name

    @staticmethod
    def _name(text):
        name = _GREEK.get(text, text)
        if name in _FUNCTIONS:
            return [("function", _RENAMED.get(name, name))]
        if not name.isidentifier():
            if not name:
                return []
            raise ValueError("Illegal math: %s" % text)
        return [("operand", name)]

    @staticmethod
    def _operator(text):
        if text in ("", "\u2061", "\u2062", "\u200b", "\u2063"):
            return []
        if text in "([{":
            return [("open", "[" if text == "[" else "(")]
        if text in ")]}":
            return [("close", "]" if text == "]" else ")")]
        if text in _OPERATORS:
            return [("operator", _OPERATORS[text])]
        if text == "!":
            return [("operator", "!")]
        if text in _FUNCTIONS:
            return [("function", _RENAMED.get(text, text))]
        raise ValueError("Illegal math: %s" % text)

    @staticmethod
    def _join(tokens):
        """The tokens with the products that stand between them."""
        out, ends_operand = [], False
        i = 0
        while i < len(tokens):
            kind, text = tokens[i]
            i += 1
            if kind == "operator":
                out.append(text)
                ends_operand = text == "!"
                continue
            if kind == "close":
                out.append(text)
                ends_operand = True
                continue
            if ends_operand:
                out.append("*")
            ends_operand = False
            if kind in ("function", "power function"):
                name, _, power = text.partition("\n")
                after = "**(%s)" % power if power else ""
                following = tokens[i] if i < len(tokens) else ("", "")
                if following[0] == "open":
                    # Its argument is what stands in the parentheses.
                    depth, j, inner = 0, i, []
                    while j < len(tokens):
                        depth += {"open": 1, "close": -1}.get(tokens[j][0], 0)
                        inner.append(tokens[j])
                        j += 1
                        if depth == 0:
                            break
                    argument = Formula._join(inner[1:-1])
                    i = j
                elif following[0] == "operand":
                    argument = following[1]
                    i += 1
                else:
                    raise ValueError("Illegal math: %s without argument" % name)
                out.append("(%s(%s)%s)" % (name, argument, after))
                ends_operand = True
            elif kind == "open":
                out.append(text)
            else:
                out.append(text)
                ends_operand = True
        return "".join(out)


formula = Formula
