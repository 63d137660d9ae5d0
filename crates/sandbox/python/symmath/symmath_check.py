"""Comparison of symbolic answers (contract capa.md 3.9)."""

from symmath.formula import Formula, _sympy, my_evalf, my_sympify, to_latex

THRESHOLD = 1.0e-3


def make_error_message(msg):
    """The message in the box that the page shows for problems with an answer."""
    return '<div class="capa_alert">%s</div>' % msg


def is_within_tolerance(expected, actual, tolerance):
    """Whether two numbers are near, by their ratio; by their difference when 0 is expected."""
    if expected == 0:
        return abs(actual) < tolerance
    return abs(abs(actual - expected) / expected) < tolerance


def _is_number(value):
    return getattr(value, "is_number", False)


def _entered(value):
    return "<p>You entered: %s</p>" % to_latex(value)


def symmath_check_simple(expect, ans, adict=None, symtab=None, extra_options=None):
    """Compares two expressions as they are written."""
    options = {"__MATRIX__": False, "__ABC__": False, "__LOWER__": False}
    options.update(extra_options or {})
    for flag, name in (("matrix", "__MATRIX__"), ("abc", "__ABC__"), ("lower", "__LOWER__")):
        if adict and flag in str(adict.get("options", "")):
            options[name] = True
    if options["__LOWER__"]:
        expect, ans = expect.lower(), ans.lower()
    arguments = {"matrix": options["__MATRIX__"], "abcsym": options["__ABC__"], "symtab": symtab}
    right = my_sympify(expect, **arguments)
    try:
        given = my_sympify(ans, **arguments)
    except Exception as error:
        return {"ok": False, "msg": 'Error %s<br/>Failed in evaluating check(%s,%s)' % (error, expect, ans)}
    try:
        near = abs(right - given).evalf(chop=True)
        if near == 0 or (near.is_number and near < THRESHOLD):
            return {"ok": True, "msg": _entered(given)}
    except Exception:
        pass
    return {"ok": bool(right == given), "msg": _entered(given)}


def symmath_check(expect, ans, dynamath=None, options=None, debug=None, xml=None):
    """Compares the learner's answer with the expected one: {"ok", "msg"}."""
    _sympy()
    options = options or ""
    matrix, qubit, numerical = "matrix" in options, "qubit" in options, "numerical" in options
    try:
        right = my_sympify(str(expect), matrix=matrix, do_qubit=qubit)
    except Exception as error:
        return {"ok": False, "msg": make_error_message(
            '<p>Error %s in parsing OUR expected answer "%s"</p>' % (error, expect))}
    try:
        given = my_sympify(str(ans), matrix=matrix, do_qubit=qubit)
    except Exception:
        given = None
    if _is_number(right) and _is_number(given):
        if is_within_tolerance(right, given, THRESHOLD):
            return {"ok": True, "msg": ""}
        return {"ok": False, "msg": _entered(given)}
    if numerical:
        if is_within_tolerance(right, given, THRESHOLD):
            return {"ok": True, "msg": ""}
        return {"ok": False, "msg": "<p>You entered: %s (note that a numerical answer is expected)</p>"
                                    % to_latex(given)}
    if right == given:
        return {"ok": True, "msg": _entered(given)}
    return _check_mathml(right, ans, dynamath, options)


def _check_mathml(right, ans, dynamath, options):
    """The same with the expression as the page's preview understood it."""
    try:
        mathml = dynamath[0] if dynamath else None
    except Exception:
        mathml = None
    if not mathml:
        return {"ok": False, "msg": "[symmath_check] failed to get MathML for input; dynamath=%s" % dynamath}
    try:
        given = Formula(mathml, options=options).sympy
        msg = _entered(given)
    except Exception as error:
        msg = "<p>Error in evaluating your expression '%s' as a valid equation</p>" % ans
        if "Illegal math" in str(error):
            msg += "<p>Illegal math expression</p>"
        return {"ok": False, "msg": make_error_message(msg)}
    if _is_number(right):
        if _is_number(given):
            return {"ok": bool(is_within_tolerance(right, given, THRESHOLD)), "msg": msg}
        msg += "<p>Expecting a numerical answer!</p><p>given = %r</p><p>fsym = %r</p>" % (ans, given)
        return {"ok": False, "msg": make_error_message(msg)}
    if right == given:
        return {"ok": True, "msg": msg}
    if isinstance(right, list):
        sympy = _sympy()
        try:
            distance = my_evalf(sympy.Matrix(right) - sympy.Matrix(my_evalf(given, chop=True)), chop=True)
            if abs(distance.vec().norm().evalf()) < THRESHOLD:
                return {"ok": True, "msg": msg}
        except Exception as error:
            return {"ok": False, "msg": make_error_message(msg + "<p>Error %s</p>" % error)}
    return {"ok": False, "msg": msg}
