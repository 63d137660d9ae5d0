"""Chemical expressions and equations (contract capa.md 10.2)."""

import re
from fractions import Fraction

ARROWS = ("<->", "->")
_ELEMENTS = """
    Ac Ag Al Am Ar As At Au B Ba Be Bh Bi Bk Br C Ca Cd Ce Cf Cl Cm Cn Co Cr Cs Cu Db Ds Dy Er Es Eu F Fe Fl
    Fm Fr Ga Gd Ge H He Hf Hg Ho Hs I In Ir K Kr La Li Lr Lu Lv Md Mg Mn Mo Mt N Na Nb Nd Ne Ni No Np O Os P
    Pa Pb Pd Pm Po Pr Pt Pu Ra Rb Re Rf Rg Rh Rn Ru S Sb Sc Se Sg Si Sm Sn Sr Ta Tb Tc Te Th Ti Tl Tm U Uuo
    Uup Uus Uut V W Xe Y Yb Zn Zr
""".split()
_PHASES = ("(s)", "(l)", "(g)", "(aq)")
# Longer names first: `Co` is no `C` with an `o`.
_TOKEN = re.compile("[ \t\n\r]*(?:(%s)|(%s)|([0-9])|([][(){}^+/-]))" % (
    "|".join(sorted(_ELEMENTS, key=len, reverse=True)), "|".join(map(re.escape, _PHASES))))
_MAX_LENGTH, _MAX_DEPTH = 16 * 1024, 100


class ParseException(Exception):
    """The text is no chemical expression."""


class _Parser:
    """Terms are (count or None, molecule, phase or None); a molecule is a list of (body, number, ion)."""

    def __init__(self, text):
        if len(text.encode("utf-8", "replace")) > _MAX_LENGTH:
            raise ParseException("too long")
        self.tokens = []
        at = 0
        stripped = text.rstrip(" \t\n\r")
        while at < len(stripped):
            found = _TOKEN.match(stripped, at)
            if not found:
                raise ParseException("unexpected %r" % stripped[at:at + 10])
            self.tokens.append((found.lastindex, found.group(found.lastindex)))
            at = found.end()
        if not self.tokens:
            raise ParseException("nothing")
        if any(token in ((4, "{"), (4, "}")) for token in self.tokens):
            raise ValueError("braces mean nothing in a chemical expression")
        self.at = 0
        self.depth = 0
        self.terms = [self.term()]
        while self.take("+"):
            self.terms.append(self.term())
        if self.at < len(self.tokens):
            raise ParseException("unexpected %r" % self.tokens[self.at][1])

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else (0, "")

    def take(self, symbol):
        if self.peek() == (4, symbol):
            self.at += 1
            return True
        return False

    def number(self):
        digits = ""
        while self.peek()[0] == 3:
            digits += self.peek()[1]
            self.at += 1
        return digits

    def term(self):
        count = None
        above = self.number()
        if above:
            below = ""
            if self.take("/"):
                below = self.number()
                if not below:
                    raise ParseException("a fraction without denominator")
            count = (above, below)
        molecule = self.group()
        phase = None
        if self.peek()[0] == 2:
            phase = self.peek()[1]
            self.at += 1
        return count, molecule, phase

    def group(self):
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ParseException("too deep")
        parts = []
        while True:
            kind, text = self.peek()
            if kind == 1:
                self.at += 1
                body = (0, text)
            elif kind == 4 and text in "([":
                self.at += 1
                inner = self.group()
                if not self.take(")" if text == "(" else "]"):
                    raise ParseException("an open bracket")
                body = (1 if text == "(" else 2, inner)
            else:
                break
            number = self.number()
            parts.append((body, number, self.ion()))
        self.depth -= 1
        if not parts:
            raise ParseException("no molecule")
        return tuple(parts)

    def ion(self):
        if not self.take("^"):
            return ""
        number = self.number()
        if number.startswith("1"):
            # A single charge is written without its number; so is, as it came to be, any that begins so.
            number = ""
        for sign in "+-":
            if self.take(sign):
                return number + sign
        raise ParseException("a charge without sign")


def _compared(text):
    """The terms as (molecule, count, phase), in an order that does not depend on how they were written."""
    terms = []
    for count, molecule, phase in _Parser(text).terms:
        value = 1.0
        if count is not None:
            value = float(count[0])
            if count[1]:
                value = value / float(count[1])
        terms.append((molecule, value, phase or ""))
    return sorted(terms, key=lambda term: (repr(term[0]), term[1], term[2]))


def divide_chemical_expression(s1, s2, ignore_state=False):
    """How many times the second expression the first one is; False when it is no multiple."""
    first, second = _compared(s1), _compared(s2)
    if [term[0] for term in first] != [term[0] for term in second]:
        return False
    if not ignore_state and [term[2] for term in first] != [term[2] for term in second]:
        return False
    ratios = [a[1] / b[1] for a, b in zip(first, second)]
    if any(ratio != ratios[0] for ratio in ratios):
        return False
    return Fraction(ratios[0])


def compare_chemical_expression(s1, s2, ignore_state=False):
    """Whether two expressions are equal, counts included."""
    return divide_chemical_expression(s1, s2, ignore_state) == 1


def split_on_arrow(eq):
    """Left side, arrow, right side; without arrow everything is the left side."""
    for arrow in ARROWS:
        left, found, right = eq.partition(arrow)
        if found:
            return left, found, right
    return eq, "", ""


def chemical_equations_equal(eq1, eq2, exact=False):
    """Whether two equations say the same; with `exact`, with the same counts."""
    left1, arrow1, right1 = split_on_arrow(eq1)
    left2, arrow2, right2 = split_on_arrow(eq2)
    if arrow1 == "" or arrow2 == "" or arrow1 != arrow2:
        return False
    try:
        left = divide_chemical_expression(left1, left2)
        if not left:
            return False
        right = divide_chemical_expression(right1, right2)
        if not right or left != right:
            return False
    except ParseException:
        return False
    return not exact or left == 1


def _render_parts(parts):
    html = ""
    for (kind, body), number, ion in parts:
        html += body if kind == 0 else ("(%s)" if kind == 1 else "[%s]") % _render_parts(body)
        if number:
            html += "<sub>%s</sub>" % number
        if ion:
            html += "<sup>%s</sup>" % ion
    return html


def _render_side(text):
    try:
        terms = _Parser(text).terms
    except ParseException:
        for plain, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;")):
            text = text.replace(plain, escaped)
        return '<span class="inline-error inline">%s</span>' % text
    shown = []
    for count, molecule, phase in terms:
        html = ""
        if count is not None:
            html = "<sup>%s</sup>&frasl;<sub>%s</sub>" % count if count[1] else count[0]
        shown.append(html + _render_parts(molecule) + (phase or ""))
    return "+".join(shown)


def render_to_html(eq):
    """The expression or equation as HTML; a side that cannot be read is marked."""
    left, arrow, right = split_on_arrow(eq)
    html = _render_side(left)
    if arrow:
        html += {"->": "\u2192", "<->": "\u2194"}[arrow] + _render_side(right)
    return '<span class="math">%s</span>' % html
