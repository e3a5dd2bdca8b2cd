"""L19 to L24: what a record of a cross account bounds, how shares divide, and how deep a cut may go.

A product of two unknowns is one unknown of its own, tied by what is used of it. K is the longest way of any
mark less funding since the record in units of maintenance, s the slack of a record.
"""

from z3 import And, If, Implies, Ints, Or, Reals

from checks import Lemma


def bound():
    """V and W: equity now and at the last write; R: equity by record; m of M: the leg's maintenance."""
    lemma = Lemma("L19", "an account above maintenance holds at least what its record's bound says")
    V, W, R, K, s, m, M = Reals("V W R K s m M")
    # Others' result since the write, the leg's own, and what the record flattered then.
    others, own, flattered = Reals("others own flattered")
    moved = [K >= 0, s >= 0, m > 0, M >= m, others <= K * (M - m), own <= K * m, W == V + others + own]
    recorded = [If(W > 0, flattered <= s * W, flattered <= 0), R == V + others + flattered]
    healthy = V >= M
    claim = And(V * (1 + K) * (1 + s) >= R + K * m, V >= m)
    lemma.proves("V (1+K)(1+s) >= R + K m, and V >= m", [*moved, *recorded, healthy], claim)
    lemma.mutant("below maintenance", [*moved, *recorded, V > 0], claim)
    lemma.mutant("records that flatter by anything", [*moved, R == V + others + flattered, healthy], claim)
    third = [K >= 0, s >= 0, m > 0, M >= m, others <= 3 * K * (M - m), own <= 3 * K * m, W == V + others + own]
    lemma.mutant("a third of the way", [*third, *recorded, healthy], claim)
    lemma.mutant("the own leg's maintenance counted among the others'",
                 [*moved, *recorded, healthy], V * (1 + K) * (1 + s) >= R + K * M + m)
    lemma.mutant("without the slack", [*moved, *recorded, healthy], V * (1 + K) >= R + K * m)
    return lemma


def rounding():
    """a and b are A and B in units of 2^-32; ax, bm the products, f and g them shifted and rounded down."""
    lemma = Lemma("L20", "the rounded map never claims more, and is monotone")
    x, m, ax, bm, f, g, V = Reals("x m ax bm f g V")
    a, b, K, s = Reals("a b K s")
    given = [x >= 0, m >= 0, K >= 0, s >= 0, a >= 0, b >= 0]
    factors = [a * (1 + K) * (1 + s) <= 1, b <= a * K]
    shifted = [ax == a * x, bm == b * m, f <= ax, g <= bm]
    exact = V * (1 + K) * (1 + s) == x + K * m
    lemma.proves("A and B rounded down", [*given, *factors, *shifted, exact], f + g <= V)
    up = [a * (1 + K) * (1 + s) >= 1, b >= a * K, ax == a * x, bm == b * m, f >= ax, g >= bm]
    lemma.mutant("rounded up", [*given, *up, exact], f + g <= V)
    lemma.mutant("B with a K of its own", [*given, a * (1 + K) * (1 + s) <= 1, b <= K, *shifted, exact], f + g <= V)
    # An equity below nothing counts as nothing: then the bound is m.
    R = Reals("R")[0]
    lemma.proves("below nothing the leg's maintenance is the greater",
                 [m > 0, K >= 0, s >= 0, R <= 0, V * (1 + K) * (1 + s) == R + K * m], V <= m)
    lemma.proves("of nothing too", [m > 0, K >= 0, s >= 0, *factors, a >= 0, b >= 0, bm == b * m, g <= bm], g <= m)
    ay = Reals("ay")[0]
    fx, fy, r, lift = Ints("fx fy r lift")
    # x <= y and a >= 0 make a x <= a y.
    floors = [fx <= ax, ax < fx + 1, fy <= ay, ay < fy + 1]
    lemma.proves("monotone: rounding down keeps the order", [*floors, ax <= ay], fx <= fy)
    lemma.proves("monotone: so do the lift and the least",
                 [fx <= fy], If(fx + lift > r, fx + lift, r) <= If(fy + lift > r, fy + lift, r))
    lemma.mutant("monotone without the order", floors, fx <= fy)
    return lemma


def ranges():
    """A record at t between a checkpoint and now; the range of the checkpoint holds the points of both."""
    lemma = Lemma("L21", "a range bounds every difference within it, and a wider one bounds more")
    p, q, f, g = Reals("p q f g")
    high, low, fhigh, flow, way = Reals("high low fhigh flow way")
    inside = [And(x >= low, x <= high) for x in (p, q)] + [And(x >= flow, x <= fhigh) for x in (f, g)]
    given = [*inside, way == high - low + fhigh - flow]
    lemma.proves("mark less funding, either way", given, And((p - f) - (q - g) <= way, (q - g) - (p - f) <= way))
    lemma.mutant("marks alone", inside, (p - f) - (q - g) <= high - low)
    outer, inner = Reals("outer inner")
    more_high, more_low = Reals("more_high more_low")
    lemma.proves("an older checkpoint's way is no shorter",
                 [more_high >= high, more_low <= low, high >= low, outer == more_high - more_low, inner == high - low],
                 outer >= inner)
    lots, mark, rate, K, least = Reals("lots mark rate K least")
    # K = way / (mark rate), rounded up; rho N = lots mark rate.
    lemma.proves("in units of maintenance: a leg loses at most K times its own",
                 [lots >= 0, mark > 0, rate > 0, way >= 0, K * mark * rate >= way, least == lots * mark * rate],
                 lots * way <= K * least)
    lemma.mutant("divided by the mark at the record",
                 [lots > 0, mark > 0, q > 0, rate > 0, way >= 0, K * q * rate >= way, least == lots * mark * rate],
                 lots * way <= K * least)
    return lemma


def shares():
    """S of a deficit of D with m of M, rounded towards nothing; Sq is S M."""
    lemma = Lemma("L22", "shares of a deficit never exceed it, and closing a leg at its share leaves the rest")
    D, m, n, M, S, T, SM, TM, Dm, Dn = Ints("D m n M S T SM TM Dm Dn")
    given = [D >= 0, m >= 1, n >= 1, M >= m + n, SM <= Dm, TM <= Dn, S >= 0, T >= 0]
    # (S + T) M <= D (m + n) <= D M, the products as unknowns.
    DM, sums = Ints("DM sums")
    products = [DM >= Dm + Dn, sums == SM + TM]
    lemma.proves("two legs together", [*given, *products], sums <= DM)
    lemma.mutant("rounded away from nothing", [D >= 0, m >= 1, n >= 1, M >= m + n, SM < Dm + M, TM < Dn + M,
                                               SM >= Dm, TM >= Dn, *products], sums <= DM)
    pool, U, others, V, after, margin = Ints("pool U others V after margin")
    closed = [V == pool + U + others, margin == S - U, after == pool - margin]
    lemma.proves("the rest is the equity less the share", closed, after + others == V - S)
    lemma.proves("a last leg at all of the equity ends at nothing", [*closed, others == 0, S == V], after == 0)
    lemma.mutant("a last leg at its rounded share", [*closed, others == 0, S >= V, S <= V + 1], after == 0)
    return lemma


def health():
    """V below M is, for every leg, a share below its maintenance, and back; S = floor(V m / M)."""
    lemma = Lemma("L23", "a leg's share is below its maintenance exactly when the account is")
    V, m, M, S, SM, Vm = Ints("V m M S SM Vm")
    # S M <= V m < (S + 1) M; V < M is V m < M m, and S < m is S + 1 <= m.
    Mm, S1M = Ints("Mm S1M")
    floor = [m >= 1, M >= m, V >= 0, SM <= Vm, Vm < S1M, S1M == SM + M]
    tied = [(V < M) == (Vm < Mm), Implies(S < m, S1M <= Mm), Implies(S >= m, SM >= Mm)]
    lemma.proves("both ways", [*floor, *tied], (S < m) == (V < M))
    lemma.mutant("of a share rounded up", [m >= 1, M >= m, V >= 0, SM >= Vm, SM < Vm + M, S1M == SM + M, *tied],
                 (S < m) == (V < M))
    return lemma


def cuts():
    """A part c of a leg is cut: V falls by c L and rounding, M by at least c m less rounding (m is convex)."""
    lemma = Lemma("L24", "a cut leaves maintenance margin, or an account no less healthy")
    V, M, m, L, c, W, N = Reals("V M m L c W N")
    cut = [m > 0, M >= m, L >= 0, c > 0, c <= 1, W >= V - c * L, N <= M - c * m, N >= 0]
    lemma.proves("a loss within the leg's maintenance", [*cut, V >= M, L <= m], W >= N)
    lemma.proves("shortened: c (L - m) <= V - M", [*cut, V >= M, c * (L - m) <= V - M], W >= N)
    lemma.mutant("not shortened", [*cut, V >= M], W >= N)
    lemma.proves("below maintenance, a loss within the share: V/M does not fall",
                 [*cut, V >= 0, L * M <= V * m], W * M >= V * N)
    lemma.mutant("below maintenance, any loss", [*cut, V >= 0, V < M], W * M >= V * N)
    spare, a, b = Reals("spare a b")
    rounded = [m > 0, M >= m, c > 0, c <= 1, W > V - c * L - 1, N < M - c * m + 1]
    lemma.proves("two atoms for both roundings", [*rounded, c * (L - m) <= V - M - 2], W > N)
    lemma.mutant("one atom", [*rounded, c * (L - m) <= V - M - 1], W >= N)
    # A bracket's margin of a part is at most that part of the whole's.
    x, y, r1, r2, k, whole, part = Reals("x y r1 r2 k whole part")
    bracket = [0 < r1, r1 <= r2, k > 0, x > 0, y > 0, y <= x,
               whole == If(x <= k, r1 * x, r1 * k + r2 * (x - k)), part == If(y <= k, r1 * y, r1 * k + r2 * (y - k))]
    lemma.proves("margins of brackets are convex", bracket, part * x <= whole * y)
    lemma.mutant("with rates that fall", [0 < r2, r2 < r1, k > 0, x > 0, y > 0, y <= x, *bracket[-2:]],
                 part * x <= whole * y)
    lemma.proves("equity lasts: c L <= V - 1", [m > 0, c > 0, c <= 1, W > V - c * L - 1, c * L <= V - 1], W > 0)
    return lemma


def lemmas():
    return [bound(), rounding(), ranges(), shares(), health(), cuts()]
