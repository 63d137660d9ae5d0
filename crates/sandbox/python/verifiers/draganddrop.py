"""Grading of drag and drop (contract capa.md 10.2)."""

import json

DEFAULT_RADIUS = 10


def _flat(target):
    """A target inside another draggable, as `target[draggable][outer target]`."""
    path = []
    while isinstance(target, dict):
        name, target = next(iter(target.items()))
        path.append(name)
    if not path:
        return target
    # {outer: {draggable: inner}} reads inner[draggable][outer].
    return target + "".join("[%s]" % name for name in reversed(path))


def _place(value):
    """(name or point, radius or None)."""
    if isinstance(value, (list, tuple)):
        if len(value) == 2 and isinstance(value[0], (list, tuple)):
            return tuple(float(part) for part in value[0]), float(value[1])
        return tuple(float(part) for part in value), None
    return value, None


def same_position(first, second):
    """Whether two positions are one target, or two points near enough."""
    (a, radius_a), (b, radius_b) = _place(first), _place(second)
    if isinstance(a, tuple) != isinstance(b, tuple):
        return False
    if not isinstance(a, tuple):
        return a == b
    if len(a) != 2 or len(b) != 2:
        return False
    radius = max(radius for radius in (radius_a, radius_b, DEFAULT_RADIUS if radius_a is radius_b is None else 0)
                 if radius is not None)
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 <= radius ** 2


def _matches(right, given, rule):
    if rule == "exact":
        return len(right) == len(given) and all(map(same_position, right, given))
    if rule == "anyof":
        return all(any(same_position(place, target) for target in right) for place in given)
    if rule == "unordered_equal":
        left = list(right)
        for place in given:
            found = next((n for n, target in enumerate(left) if same_position(place, target)), None)
            if found is None:
                return False
            del left[found]
        return not left
    return False


def _groups(correct):
    if isinstance(correct, dict):
        for name, place in correct.items():
            yield [name], [place], "exact", False
        return
    for group in correct:
        rule, number, _ = group["rule"].partition("+number")
        yield list(group["draggables"]), list(group["targets"]), rule, bool(number)


def grade(user_input, correct_answer):
    """Whether the learner placed the draggables as the right answer wants.

    `user_input` is a JSON list of {draggable: place}. `correct_answer` is a dict draggable -> place, or a list of
    {"draggables", "targets", "rule"}; a place is a target, [x, y] or [[x, y], radius].
    """
    placed = []
    for item in json.loads(user_input):
        for name, place in item.items():
            placed.append((name, _flat(place)))
    mentioned = set()
    for names, targets, rule, counted in _groups(correct_answer):
        mentioned.update(names)
        mine = [(name, place) for name, place in placed if name in names]
        ids = sorted(name for name, _ in mine) if counted else sorted({name for name, _ in mine})
        if ids != (sorted(names) if counted else sorted(set(names))):
            return False
        if not _matches(targets, [place for _, place in mine], rule):
            return False
    return all(name in mentioned for name, _ in placed)
