"""L18: the stored bankruptcy price decides who is bankrupt.

A product of two unknowns is one unknown of its own, tied by what is used of it.
"""

from z3 import And, If, Ints

from checks import Lemma

Q32 = 2**32


def decides():
    """X atoms and q lots are stored as x = floor(X 2^32 / q); n = p - F; xq, nq are products with q.

    A long lacks X - n q atoms and a short n q - X; `over` is x - 2^32 n.
    """
    lemma = Lemma("L18", "the stored bankruptcy price decides who is bankrupt")
    X, q, x, xq, n, nq, p, F, over, over_q = Ints("X q x xq n nq p F over over_q")
    stored = [q >= 1, xq <= X * Q32, xq > X * Q32 - q, n == p - F]
    # A whole number times q: nothing, or at least q away from it.
    apart = If(over > 0, over_q >= q, If(over < 0, over_q <= -q, over_q == 0))
    compared = [over == x - Q32 * n, over_q == xq - Q32 * nq, apart]
    lots = q < Q32
    given = [*stored, lots, *compared]
    lemma.proves("long: an atom is missing exactly when it is above", given, (X >= nq + 1) == (over > 0))
    lemma.proves("short: an atom is missing exactly when it is below", given, (X <= nq - 1) == (over < 0))
    lemma.proves("equal is an equity of nothing", given, (X == nq) == (over == 0))
    lemma.mutant("long: not below", given, (X >= nq + 1) == (over >= 0))
    lemma.mutant("short: not above", given, (X <= nq - 1) == (over <= 0))
    lemma.mutant("short: the sign of longs", given, (X <= nq - 1) == (over > 0))
    lemma.mutant("the funding index forgotten", given, (X >= nq + 1) == (x > Q32 * p))
    lemma.mutant("long: with 2^33 lots", [*stored, q <= 2 * Q32, *compared], (X >= nq + 1) == (over > 0))
    a, b, best = Ints("a b best")
    lemma.proves("the best of two decides for both", [best == If(a > b, a, b)],
                 (best > n) == If(a > n, True, b > n))
    lemma.mutant("the worst of two", [best == If(a > b, b, a)], And((best > n) == If(a > n, True, b > n)))
    return lemma


def lemmas():
    return [decides()]
