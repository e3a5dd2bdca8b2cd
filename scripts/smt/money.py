"""L11 to L15: the encoding of a position and the arithmetic of a cut, over all integers.

A product of two unknowns is one unknown of its own, tied by what is used of it.
"""

from z3 import And, If, Int, Ints, Or, Real, Reals, ToReal

from checks import Lemma

Q32 = 2**32


def ceiling(rounded, exact):
    return And(rounded >= exact, rounded < exact + 1)


def floor(rounded, exact):
    return And(rounded <= exact, rounded > exact - 1)


def encoding():
    """E atoms and q lots are stored as x = floor(E 2^32 / q); xq is the product x q."""
    lemma = Lemma("L11", "a price rounded to 2^-32 gives back its total")
    E, F, q, x, xq, back = Ints("E F q x xq back")
    stored = [q >= 1, xq <= E * Q32, xq > E * Q32 - q]
    lots = q < Q32
    recovered = And(back * Q32 >= xq, (back - 1) * Q32 < xq)
    lemma.proves("any total, any sign, below 2^32 lots", [*stored, lots, recovered], back == E)
    lemma.mutant("with 2^33 lots", [*stored, q <= 2 * Q32, recovered], back == E)
    lemma.mutant("recovered by rounding down", [*stored, lots, back * Q32 <= xq, (back + 1) * Q32 > xq], back == E)
    lemma.proves("two totals never share a price", [*stored, lots, xq <= F * Q32, xq > F * Q32 - q], E == F)
    high, low, high_q, low_q, part, rest, up = Ints("high low high_q low_q part rest up")
    # high q and low q, then the low one shifted.
    halves = [q >= 1, lots, low >= 0, low < Q32, low_q >= 0, low_q <= (Q32 - 1) * (Q32 - 1),
              xq == high_q * Q32 + low_q, low_q == part * Q32 + rest, rest >= 0, rest < Q32]
    lemma.proves("by halves", [*halves, up == If(rest != 0, 1, 0), back == high_q + part + up], recovered)
    lemma.mutant("by halves, the rest forgotten", [*halves, back == high_q + part], recovered)
    whole, left, digit, digit_q, after = Ints("whole left digit digit_q after")
    whole_q = Int("whole_q")
    divided = [q >= 1, lots, E == whole_q + left, left >= 0, left < q,
               left * Q32 == digit_q + after, after >= 0, after < q, xq == whole_q * Q32 + digit_q]
    lemma.proves("two divisions make one", divided, And(xq <= E * Q32, xq > E * Q32 - q))
    lemma.proves("the digit is below 2^32", [q >= 1, left >= 0, left < q, digit * q <= left * Q32], digit < Q32)
    lemma.mutant("a digit of a rest as large as the divisor",
                 [q >= 1, left >= 0, left <= q, digit * q <= left * Q32], digit < Q32)
    lemma.proves("below zero: one more when not exact",
                 [q >= 1, E >= 0, xq <= E * Q32, xq > E * Q32 - q, whole == If(xq == E * Q32, xq, xq + q)],
                 And(-whole <= -E * Q32, -whole > -E * Q32 - q))
    order, other = Reals("order other")
    u, v = Ints("u v")
    lemma.proves("a lower price is not stored higher", [floor(u, order), floor(v, other), order <= other], u <= v)
    return lemma


def partial_close():
    """k of q lots leave; a is the share that stays, so E a and M a are the exact rests."""
    lemma = Lemma("L12", "a partial close moves entry by less than 1 and bankruptcy by less than 2 atoms")
    E, M, gone, freed = Ints("E M gone freed")
    share, stay, margin = Reals("share stay margin")
    # share = E k / q, stay = E - share; margin = M k / q.
    given = [share + stay == ToReal(E)]
    entry, bankrupt = E - gone, E - gone - (M - freed)
    exact = stay - (ToReal(M) - margin)
    long = [*given, ceiling(gone, share), floor(freed, margin)]
    lemma.proves("long: entry down, b down", long,
                 And(entry <= stay, entry > stay - 1, bankrupt <= exact, bankrupt > exact - 2))
    short_bankrupt = E - gone + (M - freed)
    short_exact = stay + (ToReal(M) - margin)
    short = [*given, floor(gone, share), floor(freed, margin)]
    lemma.proves("short: entry up, b up", short,
                 And(entry >= stay, entry < stay + 1, short_bankrupt >= short_exact, short_bankrupt < short_exact + 2))
    lemma.mutant("long: entry exact", long, entry == stay)
    lemma.mutant("long: b within one atom", long, bankrupt > exact - 1)
    q, k, e = Reals("q k e")
    lemma.proves("without rounding both prices stay", [q > k, k > 0, E == e * q, share == e * k],
                 ToReal(E) - share == e * (q - k))
    return lemma


def cumulative_quotes():
    """x and y are the exact worths of the first k and the first l lots at the close price."""
    lemma = Lemma("L13", "cuts add up exactly, each within one atom of the close price")
    first, second, total = Ints("first second total")
    x, y = Reals("x y")
    for side, rounding in (("long", ceiling), ("short", floor)):
        given = [rounding(first, x), rounding(second, y)]
        cut = ToReal(second - first)
        lemma.proves(f"{side}: within one atom", given, And(cut - (y - x) < 1, cut - (y - x) > -1))
        lemma.proves(f"{side}: the first starts at nothing, the last ends at the whole",
                     [rounding(first, 0), rounding(second, ToReal(total))], And(first == 0, second == total))
        lemma.proves(f"{side}: more lots, no smaller sum at a positive price", [*given, y >= x], second >= first)
    z = Real("z")
    third = Int("third")
    lemma.mutant("each cut rounded by itself adds up",
                 [ceiling(first, x), ceiling(second, y), z == x + y, ceiling(third, z)], first + second == third)
    lemma.mutant("within half an atom", [ceiling(first, x), ceiling(second, y)],
                 And(second - first - (y - x) < 0.5, second - first - (y - x) > -0.5))
    quote, held, cut = Ints("quote held cut")
    # `quote` of `held` lots: no cumulative quote is larger in size.
    ratio = Real("ratio")
    lemma.proves("no cumulative quote leaves the range of the whole",
                 [ratio >= 0, ratio <= 1, Or(ceiling(cut, quote * ratio), floor(cut, quote * ratio)), held >= 0,
                  quote <= held, quote >= -held], And(cut <= held, cut >= -held))
    return lemma


def overshoot():
    """worth = p k is whole; exact = Q k / L; uncovered U k / L with U = |p L - Q|."""
    lemma = Lemma("L14", "counterparties give up the uncovered deficit of the closed lots, rounded once")
    worth, quote, covered = Ints("worth quote covered")
    exact = Real("exact")
    long = [exact <= worth, ceiling(quote, exact), floor(covered, worth - exact)]
    lemma.proves("longs receive less", long, And(worth - quote == covered, worth >= quote))
    short = [exact >= worth, floor(quote, exact), floor(covered, exact - worth)]
    lemma.proves("shorts pay more", short, And(quote - worth == covered, quote >= worth))
    lemma.mutant("longs, the quote rounded down", [exact <= worth, floor(quote, exact), floor(covered, worth - exact)],
                 worth - quote == covered)
    price, lots, E, M, Q, equity = Reals("price lots E M Q equity")
    lemma.proves("a short's close price: p L - Q is its deficit",
                 [equity == M + E - price * lots, Q == E + M], price * lots - Q == -equity)
    lemma.proves("a long's close price: Q - p L is its deficit",
                 [equity == M + price * lots - E, Q == E - M], Q - price * lots == -equity)
    lemma.mutant("a long's close price by the margin's other sign",
                 [equity == M + price * lots - E, Q == E + M], Q - price * lots == -equity)
    entry, margin, all_of_it = Ints("entry margin all_of_it")
    for side, rounding in (("short", ceiling), ("long", floor)):
        lemma.proves(f"the last lot leaves a bankrupt {side} exactly nothing",
                     [all_of_it == entry - margin, rounding(quote, ToReal(all_of_it))], quote - entry + margin == 0)
    return lemma


def solvency():
    """d >= 0 is how far the close price lies beyond the mark, h >= 0 the equity beyond q d.

    A cut of k of q lots gives up k d and at most an atom less one rounding.
    """
    lemma = Lemma("L15", "a cut makes nobody insolvent")
    before, after, gave, q, k, payout, full = Ints("before after gave q k payout full")
    d, h, part = Reals("d h part")
    solvent = [q > k, k >= 1, d >= 0, h >= 0, before == q * d + h]
    forgone = [gave < k * d + 1, gave > k * d - 1]
    lemma.proves("margin bears a negative payout", [*solvent, *forgone, after == before - gave], after >= 0)
    lemma.mutant("margin bears two", [*solvent, *forgone, after == before - gave - 1], after >= 0)
    lemma.proves("a full close pays out", [q >= 1, d >= 0, h >= 0, before == q * d + h, gave < q * d + 1,
                                           full == before - gave], full >= 0)
    worth, entry, margin, stays, keeps = Reals("worth entry margin stays keeps")
    # A part of the lots stays; entry and margin stay pro rata, rounded by L12.
    rest = [part >= 0, part <= 1, worth - entry + margin >= 0, stays <= part * entry, keeps >= part * margin]
    lemma.proves("what stays of a long pro rata is solvent", rest, part * worth - stays + keeps >= 0)
    lemma.proves("what stays of a short pro rata is solvent",
                 [part >= 0, part <= 1, entry - worth + margin >= 0, stays >= part * entry, keeps >= part * margin],
                 stays - part * worth + keeps >= 0)
    lemma.mutant("what stays of a long with its entry rounded up is solvent",
                 [part >= 0, part <= 1, worth - entry + margin >= 0, stays >= part * entry, keeps >= part * margin],
                 part * worth - stays + keeps >= 0)
    lemma.mutant("insolvent at the close price",
                 [q > k, k >= 1, d >= 0, h < 0, before == q * d + h, before >= 0, *forgone, after == before - gave],
                 after >= 0)
    mark, close, bankruptcy = Reals("mark close bankruptcy")
    lemma.proves("solvent at the close price is solvent at the mark: long",
                 [close <= mark, bankruptcy <= close], mark - bankruptcy >= mark - close)
    lemma.proves("solvent at the close price is solvent at the mark: short",
                 [close >= mark, bankruptcy >= close], bankruptcy - mark >= close - mark)
    received, removed, released = Ints("received removed released")
    exact, share, freed = Reals("exact share freed")
    paid = [received - exact < 1, received - exact > -1, ceiling(removed, share), floor(released, freed),
            exact - share + freed >= 0, payout == received - removed + released]
    lemma.proves("a payout is at worst two atoms below zero", paid, payout >= -2)
    lemma.mutant("a payout is at worst one atom below zero", paid, payout >= -1)
    return lemma


def lemmas():
    return [encoding(), partial_close(), cumulative_quotes(), overshoot(), solvency()]
