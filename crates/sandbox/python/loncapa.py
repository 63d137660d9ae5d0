"""What LON-CAPA's scripts had (contract capa.md 6.1)."""

import math

deg2rad = math.pi / 180.0
rad2deg = 180.0 / math.pi


def lc_random(lower, upper, stepsize):
    """One of `lower`, `lower + stepsize`, ... below `upper`."""
    # The problem's own generator, which stands in for the module.
    import random

    count = int((upper - lower) / (1.0 * stepsize))
    return random.choice([lower + step * stepsize for step in range(count)])


def lc_choose(index, *args):
    """The argument at a position counted from 1; the first one when there is none there."""
    try:
        return args[int(index) - 1]
    except (IndexError, TypeError, ValueError):
        if args:
            return args[0]
    raise Exception("loncapa_check.lc_choose error, index=%s, args=%s" % (index, args))
