"""L9 and L10: what a walk with a tolerance proves and how far it goes."""

from z3 import And, Reals

from checks import Lemma


def tolerance():
    """y is cut, `last` is the last one cut, x is left out; a is 1 plus the tolerance."""
    lemma = Lemma("L9", "nobody left out scores above 1 + tolerance times anybody cut")
    x, y, last, bound, a = Reals("x y last bound a")
    ordered = [a >= 1, y >= last]
    lemma.proves("in profit", [*ordered, last >= 0, x <= a * last], x <= a * y)
    # Losses are compared as losses: a smaller one ranks higher.
    lemma.proves("in loss", [*ordered, y < 0, x < 0, -x * a >= -last], -x * a >= -y)
    lemma.proves("in loss, somebody cut in profit", [*ordered, last < 0, y >= 0, x < 0], x <= a * y)
    lemma.proves("a subtree not entered, in profit", [a >= 1, x <= bound, bound < a * last], x < a * last)
    lemma.proves("a subtree not entered, in loss",
                 [a >= 1, x <= bound, bound < 0, -bound * a > -last], -x * a > -last)
    lemma.mutant("without the tolerance", [*ordered, last >= 0, x <= a * last], x <= y)
    lemma.mutant("a loss times the tolerance in profit's way",
                 [*ordered, y < 0, x < 0, -x * a >= -last], x <= a * y)
    return lemma


def span():
    """r is the profit ratio |p-e|/e and y = 1/|p-b|; a score is r y. In loss it is -r d with d = |p-b|.

    Of a subtree: the largest and least ratio, and the position with the best bankruptcy price.
    """
    lemma = Lemma("L10", "a subtree that is entered spans ratios 1 + tolerance apart")
    best, least, own, y, t, d, a = Reals("best least own y t d a")
    narrow = [a > 1, least > 0, least <= own, own <= best, best < a * least]
    lemma.proves("in profit", [*narrow, y > 0, t > 0, own * y <= t], best * y < a * t)
    lemma.mutant("in profit, as wide as the tolerance",
                 [a > 1, least > 0, least <= own, own <= best, best <= a * least, y > 0, t > 0, own * y <= t],
                 best * y < a * t)
    # The best ratio of a loss is the least one.
    lemma.proves("in loss", [*narrow, d > 0, t > 0, own * d >= t], least * d * a > t)
    lemma.mutant("in loss, of any width",
                 [a > 1, least > 0, least <= own, own <= best, d > 0, t > 0, own * d >= t], least * d * a > t)
    total, power, low, high, last, more = Reals("total power low high last more")
    # Disjoint intervals of one level: the ratios of the first n span `power`, a step adds another.
    steps = [a > 1, power >= 1, low > 0, high >= power * low, last >= high, more >= a * last, total == a * power]
    lemma.proves("n + 1 such subtrees side by side span (1 + tolerance)^(n+1)", steps, more >= total * low)
    lemma.mutant("subtrees that overlap",
                 [a > 1, power >= 1, low > 0, high >= power * low, last > 0, more >= a * last, total == a * power],
                 more >= total * low)
    p, e, b, slack, ratio = Reals("p e b slack ratio")
    # What rounding to 2^-32 takes off the tolerance.
    lemma.proves("a rounded distance costs a part slack / d",
                 [b > slack, slack > 0, e > 0, y > 0, ratio > 0, e == b - slack, ratio * e == y * b],
                 And(ratio > y, (ratio - y) * e == y * slack))
    lemma.mutant("a rounded distance costs nothing",
                 [b > slack, slack > 0, e > 0, y > 0, ratio > 0, e == b - slack, ratio * e == y * b, p > 0], ratio <= y)
    return lemma


def lemmas():
    return [tolerance(), span()]
