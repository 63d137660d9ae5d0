"""The sequences of Python 2.7's `random` (contract capa.md 6.2).

Python 3 draws integers from random bits; here, as in Python 2, they come from a float in [0, 1).
"""

import _random
import math
import os

TWOPI = 2.0 * math.pi
LOG4 = math.log(4.0)
NV_MAGICCONST = 4 * math.exp(-0.5) / math.sqrt(2.0)
SG_MAGICCONST = 1.0 + math.log(4.5)
BPF = 53
RECIP_BPF = 2.0 ** -BPF
# Wider ranges than a float's digits need whole random bits.
_WIDEST = 1 << BPF

__all__ = [
    "Random", "seed", "random", "uniform", "randint", "choice", "sample", "randrange", "shuffle",
    "normalvariate", "lognormvariate", "expovariate", "vonmisesvariate", "gammavariate", "triangular",
    "gauss", "betavariate", "paretovariate", "weibullvariate", "getstate", "setstate", "jumpahead",
    "SystemRandom", "getrandbits",
]


class Random(_random.Random):
    """A generator with its own state."""

    VERSION = 3

    def __init__(self, x=None):
        self.seed(x)

    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)

    def seed(self, a=None, version=2):
        """Starts again from a number (its absolute value) or from the hash of anything else."""
        if a is None:
            a = int.from_bytes(os.urandom(32), "big")
        super().seed(a)
        self.gauss_next = None

    def getstate(self):
        return self.VERSION, super().getstate(), self.gauss_next

    def setstate(self, state):
        version, inner, self.gauss_next = state
        if version not in (2, 3):
            raise ValueError("state with version %s passed to Random.setstate() of version %s"
                             % (version, self.VERSION))
        super().setstate(tuple(x % (2 ** 32) for x in inner))

    def jumpahead(self, n):
        """Moves to a state far away; only its being different is promised."""
        super().seed(hash((n, super().getstate())))

    def __getstate__(self):
        return self.getstate()

    def __setstate__(self, state):
        self.setstate(state)

    def __reduce__(self):
        return self.__class__, (), self.getstate()

    def _below(self, n):
        bits = int(1.00001 + math.log(n - 1, 2.0))
        value = self.getrandbits(bits)
        while value >= n:
            value = self.getrandbits(bits)
        return value

    _randbelow = _below

    def _index(self, n):
        return self._below(n) if n >= _WIDEST else int(self.random() * n)

    def randrange(self, start, stop=None, step=1):
        first = int(start)
        if first != start:
            raise ValueError("non-integer arg 1 for randrange()")
        if stop is None:
            if first > 0:
                return self._index(first)
            raise ValueError("empty range for randrange()")
        last = int(stop)
        if last != stop:
            raise ValueError("non-integer stop for randrange()")
        width = last - first
        if step == 1:
            if width > 0:
                return first + self._index(width)
            raise ValueError("empty range for randrange() (%d,%d, %d)" % (first, last, width))
        by = int(step)
        if by != step:
            raise ValueError("non-integer step for randrange()")
        if by == 0:
            raise ValueError("zero step for randrange()")
        count = (width + by + (-1 if by > 0 else 1)) // by
        if count <= 0:
            raise ValueError("empty range for randrange()")
        return first + by * self._index(count)

    def randint(self, a, b):
        return self.randrange(a, b + 1)

    def choice(self, seq):
        return seq[int(self.random() * len(seq))]

    def shuffle(self, x, random=None):
        draw = self.random if random is None else random
        for i in reversed(range(1, len(x))):
            j = int(draw() * (i + 1))
            x[i], x[j] = x[j], x[i]

    def sample(self, population, k):
        n = len(population)
        if not 0 <= k <= n:
            raise ValueError("sample larger than population")
        result = [None] * k
        few = 21
        if k > 5:
            few += 4 ** math.ceil(math.log(k * 3, 4))
        if n <= few or hasattr(population, "keys"):
            pool = list(population)
            for i in range(k):
                j = int(self.random() * (n - i))
                result[i] = pool[j]
                pool[j] = pool[n - i - 1]
            return result
        try:
            taken = set()
            for i in range(k):
                j = int(self.random() * n)
                while j in taken:
                    j = int(self.random() * n)
                taken.add(j)
                result[i] = population[j]
        except (TypeError, KeyError):
            if isinstance(population, list):
                raise
            return self.sample(tuple(population), k)
        return result

    def uniform(self, a, b):
        return a + (b - a) * self.random()

    def triangular(self, low=0.0, high=1.0, mode=None):
        u = self.random()
        try:
            c = 0.5 if mode is None else (mode - low) / (high - low)
        except ZeroDivisionError:
            return low
        if u > c:
            u, c, low, high = 1.0 - u, 1.0 - c, high, low
        return low + (high - low) * (u * c) ** 0.5

    def normalvariate(self, mu, sigma):
        while True:
            u1 = self.random()
            u2 = 1.0 - self.random()
            z = NV_MAGICCONST * (u1 - 0.5) / u2
            if z * z / 4.0 <= -math.log(u2):
                return mu + z * sigma

    def lognormvariate(self, mu, sigma):
        return math.exp(self.normalvariate(mu, sigma))

    def expovariate(self, lambd):
        return -math.log(1.0 - self.random()) / lambd

    def vonmisesvariate(self, mu, kappa):
        if kappa <= 1e-6:
            return TWOPI * self.random()
        a = 1.0 + math.sqrt(1.0 + 4.0 * kappa * kappa)
        b = (a - math.sqrt(2.0 * a)) / (2.0 * kappa)
        r = (1.0 + b * b) / (2.0 * b)
        while True:
            z = math.cos(math.pi * self.random())
            f = (1.0 + r * z) / (r + z)
            c = kappa * (r - f)
            u = self.random()
            if u < c * (2.0 - c) or u <= c * math.exp(1.0 - c):
                break
        angle = math.acos(f)
        return (mu % TWOPI) + (angle if self.random() > 0.5 else -angle)

    def gammavariate(self, alpha, beta):
        if alpha <= 0.0 or beta <= 0.0:
            raise ValueError("gammavariate: alpha and beta must be > 0.0")
        if alpha > 1.0:
            ainv = math.sqrt(2.0 * alpha - 1.0)
            bbb = alpha - LOG4
            ccc = alpha + ainv
            while True:
                u1 = self.random()
                if not 1e-7 < u1 < 0.9999999:
                    continue
                u2 = 1.0 - self.random()
                v = math.log(u1 / (1.0 - u1)) / ainv
                x = alpha * math.exp(v)
                z = u1 * u1 * u2
                r = bbb + ccc * v - x
                if r + SG_MAGICCONST - 4.5 * z >= 0.0 or r >= math.log(z):
                    return x * beta
        if alpha == 1.0:
            u = self.random()
            while u <= 1e-7:
                u = self.random()
            return -math.log(u) * beta
        while True:
            u = self.random()
            b = (math.e + alpha) / math.e
            p = b * u
            x = p ** (1.0 / alpha) if p <= 1.0 else -math.log((b - p) / alpha)
            u1 = self.random()
            if p > 1.0:
                if u1 <= x ** (alpha - 1.0):
                    break
            elif u1 <= math.exp(-x):
                break
        return x * beta

    def gauss(self, mu, sigma):
        z = self.gauss_next
        self.gauss_next = None
        if z is None:
            angle = self.random() * TWOPI
            radius = math.sqrt(-2.0 * math.log(1.0 - self.random()))
            z = math.cos(angle) * radius
            self.gauss_next = math.sin(angle) * radius
        return mu + z * sigma

    def betavariate(self, alpha, beta):
        y = self.gammavariate(alpha, 1.0)
        return 0.0 if y == 0 else y / (y + self.gammavariate(beta, 1.0))

    def paretovariate(self, alpha):
        return 1.0 / pow(1.0 - self.random(), 1.0 / alpha)

    def weibullvariate(self, alpha, beta):
        return alpha * pow(-math.log(1.0 - self.random()), 1.0 / beta)


class SystemRandom(Random):
    """Draws from the operating system; has no state."""

    def random(self):
        return (int.from_bytes(os.urandom(7), "big") >> 3) * RECIP_BPF

    def getrandbits(self, k):
        if k <= 0:
            raise ValueError("number of bits must be greater than zero")
        if k != int(k):
            raise TypeError("number of bits should be an integer")
        return int.from_bytes(os.urandom((k + 7) // 8), "big") >> (-k % 8)

    def seed(self, *args, **kwargs):
        self.gauss_next = None

    jumpahead = seed

    def getstate(self, *args, **kwargs):
        raise NotImplementedError("System entropy source does not have state.")

    setstate = getstate


_inst = Random()
seed = _inst.seed
random = _inst.random
uniform = _inst.uniform
triangular = _inst.triangular
randint = _inst.randint
choice = _inst.choice
randrange = _inst.randrange
sample = _inst.sample
shuffle = _inst.shuffle
normalvariate = _inst.normalvariate
lognormvariate = _inst.lognormvariate
expovariate = _inst.expovariate
vonmisesvariate = _inst.vonmisesvariate
gammavariate = _inst.gammavariate
gauss = _inst.gauss
betavariate = _inst.betavariate
paretovariate = _inst.paretovariate
weibullvariate = _inst.weibullvariate
getstate = _inst.getstate
setstate = _inst.setstate
jumpahead = _inst.jumpahead
getrandbits = _inst.getrandbits
