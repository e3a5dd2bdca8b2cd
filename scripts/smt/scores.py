"""L1 to L8: the score, the classes and the bound of a subtree.

Prices are real numbers: entry e > 0, bankruptcy price b, mark p > 0. A score s is defined by its
equation without a division. Shorts are written out on their own, never derived by symmetry.
"""

from z3 import And, If, Int, Ints, Not, Or, Real, Reals

from checks import Lemma

p, e, f, b, c, s, t = Reals("p e f b c s t")
BPS = 10_000


def gain(side, e, b, s):
    """A position in profit with equity scores s (times the mark)."""
    if side == "long":
        return And(e < p, b < p, s * e * (p - b) == p - e)
    return And(e > p, b > p, s * e * (b - p) == e - p)


def loss(side, e, b, s):
    """A position that does not gain scores s (divided by the mark); no equity scores nothing."""
    if side == "long":
        return And(e >= p, b <= p, s * e == -(e - p) * (p - b))
    return And(e <= p, b >= p, s * e == -(p - e) * (b - p))


BRANCHES = (("profit", gain), ("loss", loss))
POSITIVE = [p > 0, e > 0, f > 0]


def better_entry(side, f, e):
    return f <= e if side == "long" else f >= e


def better_bankruptcy(side, c, b):
    return c >= b if side == "long" else c <= b


def monotone_in_entry():
    lemma = Lemma("L1", "a better entry price scores no less")
    for side in ("long", "short"):
        for name, branch in BRANCHES:
            given = [*POSITIVE, branch(side, e, b, s), branch(side, f, b, t)]
            better = better_entry(side, f, e)
            lemma.proves(f"{side} in {name}", [*given, better], t >= s)
            lemma.mutant(f"{side} in {name}, a worse entry price", [*given, better_entry(side, e, f)], t >= s)
    return lemma


def monotone_in_bankruptcy():
    lemma = Lemma("L2", "a bankruptcy price nearer to the mark scores no less")
    for side in ("long", "short"):
        for name, branch in BRANCHES:
            given = [*POSITIVE, branch(side, e, b, s), branch(side, e, c, t)]
            nearer = better_bankruptcy(side, c, b)
            lemma.proves(f"{side} in {name}", [*given, nearer], t >= s)
            lemma.mutant(f"{side} in {name}, farther", [*given, better_bankruptcy(side, b, c)], t >= s)
    return lemma


def subtree_bound():
    lemma = Lemma("L3", "best entry and best bankruptcy price bound every score of a subtree")
    for side in ("long", "short"):
        best = [*POSITIVE, better_entry(side, f, e), better_bankruptcy(side, c, b)]
        for name, branch in BRANCHES:
            lemma.proves(f"{side} in {name}", [*best, branch(side, e, b, s), branch(side, f, c, t)], t >= s)
        lemma.proves(f"{side}, the bound in profit, a member in loss",
                     [*best, loss(side, e, b, s), gain(side, f, c, t)], And(t > 0, s <= 0))
        lemma.proves(f"{side}, a member in profit, so the bound",
                     [*best, gain(side, e, b, s)], Not(loss(side, f, c, t)))
        lemma.mutant(f"{side}, the worst entry price of the subtree",
                     [*POSITIVE, better_entry(side, e, f), better_bankruptcy(side, c, b),
                      gain(side, e, b, s), gain(side, f, c, t)], t >= s)
    return lemma


def integer_fractions():
    lemma = Lemma("L4", "cross products of integers compare the scores")
    q, E, X, P, n, d, m, k = Reals("q E X P n d m k")
    prices = [q > 0, p > 0, e > 0, E == q * e, X == q * b, P == q * p]
    for side, sign in (("long", 1), ("short", -1)):
        equity, change = sign * (P - X), sign * (P - E)
        lemma.proves(
            f"{side}: (P-E) q / (E (P-X)) is the score in profit",
            [*prices, gain(side, e, b, s)], And(s * (E * equity) == change * q, E * equity > 0))
        lemma.proves(
            f"{side}: (E-P) (P-X) / (E q) is the loss",
            [*prices, loss(side, e, b, s)], And(s * (E * q) == change * equity, E * q > 0))
    fractions = [n >= 0, d > 0, m >= 0, k > 0, s * d == n, t * k == m]
    lemma.proves("s > t exactly when n k > m d", fractions, (s > t) == (n * k > m * d))
    lemma.mutant("s > t exactly when n d > m k", fractions, (s > t) == (n * d > m * k))
    more = Real("more")
    beats = [*fractions, more >= BPS]
    lemma.proves("profit beyond the tolerance", beats,
                 (BPS * s > more * t) == (n * BPS * k > m * more * d))
    lemma.proves("loss within the tolerance", beats,
                 (more * s < BPS * t) == (m * (d * BPS) > n * (k * more)))
    lemma.mutant("the tolerance on the other side", beats,
                 (BPS * s > more * t) == (n * more * k > m * BPS * d))
    return lemma


def winners():
    """u is an entry price and v the close price in units of 2^-32, w the least-profit limit."""
    lemma = Lemma("L5", "whatever a winner's subtree stores passes the test for winners")
    u, v, w, best, least, mark = Ints("u v w best least mark")
    entry, close = Reals("entry close")
    floors = [mark >= 1, u <= entry, entry < u + 1, v <= close, close < v + 1, u >= 1, least >= 0]
    scaled = mark * BPS
    long_limit = [w * (BPS + least) <= scaled, (w + 1) * (BPS + least) > scaled]
    long_win = [entry <= close, (mark - entry) * BPS >= least * entry]
    lemma.proves("long", [*floors, *long_limit, *long_win, best <= u], And(best <= v, best <= w))
    lemma.mutant("long, limit below the rounded one", [*floors, *long_limit, *long_win, best <= u], best <= w - 1)
    short_limit = [least < BPS, w * (BPS - least) <= scaled, (w + 1) * (BPS - least) > scaled]
    short_win = [entry >= close, (entry - mark) * BPS >= least * entry]
    lemma.proves("short", [*floors, *short_limit, *short_win, best >= u], And(best >= v, best >= w))
    lemma.mutant("short, limit rounded up", [*floors, *short_limit, *short_win, best >= u], best >= w + 1)
    lemma.proves("no short gains its whole entry", [*floors, least >= BPS],
                 (entry - mark) * BPS < least * entry)
    lemma.mutant("no long gains its whole entry", [*floors, least >= BPS],
                 (mark - entry) * BPS < least * entry)
    x, y = Reals("x y")
    solvent = [better_bankruptcy("long", close, x), better_bankruptcy("long", x, y)]
    lemma.proves("solvency of longs is monotone in b", solvent, y <= close)
    lemma.mutant("solvency of longs is antitone in b", [x <= close, y >= x], y <= close)
    lemma.proves("solvency of shorts is monotone in b", [x >= close, y >= x], y >= close)
    return lemma


def forms():
    lemma = Lemma("L6", "the forms without division are the comparisons of scores")
    T, d, limit = Reals("T d limit")
    distance = [p > 0, e > 0, d > 0]
    lemma.proves("long in profit: s >= T is e (1 + T d) <= p",
                 [*distance, s * e * d == p - e], (s >= T) == (e * (1 + T * d) <= p))
    lemma.proves("short in profit: s >= T is e (1 - T d) >= p",
                 [*distance, s * e * d == e - p], (s >= T) == (e * (1 - T * d) >= p))
    lemma.mutant("short in profit by the form of longs",
                 [*distance, s * e * d == e - p], (s >= T) == (e * (1 + T * d) >= p))
    lemma.proves("long in loss: -s <= t is (e-p) d <= t e",
                 [*distance, e >= p, -s * e == (e - p) * d], (-s <= limit) == ((e - p) * d <= limit * e))
    lemma.proves("short in loss: -s <= t is (p-e) d <= t e",
                 [*distance, e <= p, -s * e == (p - e) * d], (-s <= limit) == ((p - e) * d <= limit * e))
    lemma.mutant("long in loss without the entry",
                 [*distance, e >= p, -s * e == (e - p) * d], (-s <= limit) == ((e - p) * d <= limit))
    lemma.proves("without distance every profit passes", [p > 0, e > 0, d == 0, e < p], e * (1 + T * d) <= p)
    return lemma


def rounding_admits():
    """e0, d0, T0 and t0 are what the bound uses for e, d, T and t; g is the rounded product T0 d0."""
    lemma = Lemma("L7", "every rounding of the bound admits more")
    d, T, e0, d0, T0, t0, g = Reals("d T e0 d0 T0 t0 g")
    given = [p > 0, e > 0, e0 > 0, d >= 0, T >= 0, t >= 0, d0 >= 0, d0 <= d]
    gains = [*given, T0 >= 0, T0 <= T, g >= 0, g <= T0 * d0]
    lemma.proves("long in profit", [*gains, e0 <= e, e * (1 + T * d) <= p], e0 * (1 + g) <= p)
    lemma.mutant("long in profit, T rounded up",
                 [*given, T0 >= T, g == T0 * d0, e0 <= e, e * (1 + T * d) <= p], e0 * (1 + g) <= p)
    lemma.proves("short in profit", [*gains, e0 >= e, e * (1 - T * d) >= p], e0 * (1 - g) >= p)
    lemma.mutant("short in profit, the entry rounded down",
                 [*gains, e0 <= e, e * (1 - T * d) >= p], e0 * (1 - g) >= p)
    lemma.proves("long in loss", [*given, t0 >= t, e0 <= e, (e - p) * d <= t * e],
                 Or(e0 <= p, (e0 - p) * d0 <= t0 * e0))
    lemma.mutant("long in loss, t rounded down", [*given, t0 >= 0, t0 <= t, e0 <= e, (e - p) * d <= t * e],
                 Or(e0 <= p, (e0 - p) * d0 <= t0 * e0))
    lemma.proves("short in loss", [*given, t0 >= t, e0 >= e, (p - e) * d <= t * e],
                 Or(e0 >= p, (p - e0) * d0 <= t0 * e0))
    # In 32-bit factors: m is the mark rounded away, e0 the entry price and g the product shortened.
    m = Real("m")
    lemma.proves("long, shortened", [*given, g >= 0, g <= T * d, m >= p, e0 <= e, e * (1 + T * d) <= p],
                 e0 * g <= m - e0)
    lemma.proves("short, shortened", [*given, g >= 0, g <= T * d, m <= p, e0 >= e, e * (1 - T * d) >= p],
                 And(g < 1, e0 * g <= e0 - m))
    lemma.mutant("long, shortened, the mark rounded down",
                 [*given, g >= 0, g <= T * d, m <= p, m > 0, e0 <= e, e * (1 + T * d) <= p], e0 * g <= m - e0)
    member, stored, best, close, limit, pivot = Ints("member stored best close limit pivot")
    price = Real("price")
    # `member` is floor(price); the eligible are not beyond `close`, which is rounded away from them.
    floor = [member <= price, price < member + 1]
    for side, sign, widened in (("long", 1, 1), ("short", -1, 0)):
        eligible = price <= close if side == "long" else price >= close
        subtree = best >= member if side == "long" else best <= member
        beyond = best >= close if side == "long" else best <= close
        distance = sign * (pivot - limit)
        held = If(beyond, limit == close, limit == best + widened)
        lemma.proves(f"{side}: the distance to a widened bankruptcy price is no larger",
                     [*floor, eligible, subtree, held], distance <= sign * (pivot - price))
    lemma.mutant("long: not widened", [*floor, price <= close, best >= member, limit == best],
                 pivot - limit <= pivot - price)
    return lemma


def ratios():
    """A fraction n / d by a shifted numerator n u and a narrowed denominator, d / w rounded."""
    lemma = Lemma("L8", "the bound's threshold is rounded to the side that admits more")
    n, d, u, w, shift, q, v, narrow, more = Reals("n d u w shift q v narrow more")
    given = [n > 0, d > 0, u > 0, w > 0, shift > 0, q >= 0, v >= 0]
    down = [*given, narrow * w >= d, q * narrow <= n * u, v * u * w <= q * shift]
    lemma.proves("T: down", down, v * d <= n * shift)
    up = [*given, narrow > 0, narrow * w <= d, q * narrow >= n * u, v * u * w >= q * shift]
    lemma.proves("t: up", up, v * d >= n * shift)
    lemma.mutant("T with the denominator rounded down",
                 [*given, narrow > 0, narrow * w <= d, q * narrow <= n * u, v * u * w <= q * shift],
                 v * d <= n * shift)
    slope, wide, limit = Int("slope"), Int("wide"), Int("limit")
    lemma.proves("T with the tolerance", [v >= 0, more >= BPS, slope * BPS <= wide * more, wide <= v],
                 slope * BPS <= v * more)
    lemma.proves("t with the tolerance", [v >= 0, more >= BPS, limit * more >= wide * BPS, wide >= v],
                 limit * more >= v * BPS)
    lemma.mutant("t with the tolerance, T's way",
                 [v >= 0, more >= BPS, limit * BPS <= wide * more, wide >= v], limit * more >= v * BPS)
    return lemma


def lemmas():
    return [
        monotone_in_entry(), monotone_in_bankruptcy(), subtree_bound(), integer_fractions(),
        winners(), forms(), rounding_admits(), ratios(),
    ]
