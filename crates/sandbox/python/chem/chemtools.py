"""Grading of the molecule-shape input (contract capa.md 10.2).

An answer is {"geometry": NAME, "atoms": {position: symbol}}. Positions are `c0` (the centre), `pN`
(peripheral), `aN` (axial), `eN` (equatorial), and for the octahedral shape the two equatorial axes `e1N` and
`e2N`.
"""

import json


def vsepr_parse_user_answer(user_input):
    """What the learner's browser sent."""
    return json.loads(user_input)


def vsepr_build_correct_answer(geometry, atoms):
    """The form in which the right answer is compared."""
    return {"geometry": geometry, "atoms": atoms}


def _at(atoms, prefix):
    return sorted(symbol for position, symbol in atoms.items() if position.startswith(prefix))


def vsepr_grade(user_input, correct_answer, convert_to_peripheral=False):
    """Whether both have the same shape and centre, and the same atoms at positions of the same kind.

    With `convert_to_peripheral` every position but the centre counts as peripheral.
    """
    given, right = dict(user_input["atoms"]), correct_answer["atoms"]
    if user_input["geometry"] != correct_answer["geometry"]:
        return False
    if given["c0"] != right["c0"]:
        return False
    if convert_to_peripheral:
        others = [symbol for position, symbol in given.items() if position != "c0"]
        given = {"p%d" % number: symbol for number, symbol in enumerate(others)}
        given["c0"] = user_input["atoms"]["c0"]
    if "e10" in right:
        # The two equatorial axes may be exchanged.
        axes = _at(given, "e1"), _at(given, "e2")
        if axes not in ((_at(right, "e1"), _at(right, "e2")), (_at(right, "e2"), _at(right, "e1"))):
            return False
        kinds = "pa"
    else:
        kinds = "pae"
    return all(_at(given, kind) == _at(right, kind) for kind in kinds)
