"""L16 and L17: wide arithmetic is exact, and nothing overflows at the limits of every type."""

from z3 import And, Ints, Or, Reals

from checks import Lemma

LOTS, PRICE = 2**32 - 1, 2**31 - 1
I64, U64, I128, U128 = 2**63, 2**64 - 1, 2**127, 2**128 - 1


def halves(bits):
    """Schoolbook multiplication of two numbers of `2 bits` each by four products of halves."""
    base = 2**bits
    most = (base - 1) ** 2
    ll, lh, hl, hh = Ints("ll lh hl hh")
    products = [And(x >= 0, x <= most) for x in (ll, lh, hl, hh)]
    return base, products, (ll, lh, hl, hh)


def wide():
    lemma = Lemma("L16", "wide products and long division are exact")
    # math::mul_wide: halves of 64 bits, one carry.
    base, products, (ll, lh, hl, hh) = halves(64)
    carry, low_high, low, middle, mid_high, mid_low = Ints("carry low_high low middle mid_high mid_low")
    word = base * base
    split = [ll == low_high * base + low, low >= 0, low < base, middle == lh + low_high]
    joined = [*split, middle + hl == carry * word + mid_high * base + mid_low, mid_low >= 0, mid_low < base,
              mid_high >= 0, mid_high < base, carry >= 0, carry <= 1]
    hi, lo = hh + mid_high + carry * base, mid_low * base + low
    exact = hi * word + lo == hh * word + (lh + hl) * base + ll
    lemma.proves("256 bits: no sum before the carry wraps", [*products, *split], And(middle >= 0, middle < word))
    lemma.proves("256 bits: both halves", [*products, *joined], And(exact, lo >= 0, lo < word))
    lemma.mutant("256 bits: the carry forgotten", [*products, *joined],
                 (hh + mid_high) * word + lo == hh * word + (lh + hl) * base + ll)
    # bound::product: halves of 32 bits, no carry.
    base, products, (ll, lh, hl, hh) = halves(32)
    word = base * base
    cross, cross_high, cross_low = Ints("cross cross_high cross_low")
    steps = [ll == low_high * base + low, low >= 0, low < base, cross == hl + low_high,
             cross == cross_high * base + cross_low, cross_low >= 0, cross_low < base,
             middle == lh + cross_low, middle == mid_high * base + mid_low, mid_low >= 0, mid_low < base]
    lemma.proves("128 bits: no sum wraps", [*products, *steps], And(cross < word, middle < word))
    lemma.proves("128 bits: both halves", [*products, *steps],
                 (hh + cross_high + mid_high) * word + mid_low * base + low == hh * word + (lh + hl) * base + ll)
    lemma.mutant("128 bits: the cross sum added whole", [*products, *steps],
                 (hh + cross + mid_high) * word + mid_low * base + low == hh * word + (lh + hl) * base + ll)
    # math::div_rem_by_u32, a digit at a time.
    rest, digit, number, divisor, quotient, taken, left = Ints("rest digit number divisor quotient taken left")
    step = [divisor >= 1, divisor < base, rest >= 0, rest < divisor, digit >= 0, digit < base,
            number == rest * base + digit, number == taken + left, left >= 0, left < divisor]
    lemma.proves("a digit's dividend stays in 64 bits", step, And(number >= 0, number < word))
    lemma.proves("a digit stays in 32 bits", [*step, taken == quotient * divisor], quotient < base)
    lemma.mutant("a digit of a divisor of 33 bits",
                 [divisor >= 1, divisor < 2 * base, rest >= 0, rest < divisor, digit >= 0, digit < base,
                  number == rest * base + digit], number < word)
    return lemma


# What, the factors' largest sizes, what is added to the product in size, the type's largest size.
FITS = (
    ("units: notional below i64", (PRICE, LOTS), 0, I64 - 1),
    ("entry: lots by funding index, and two terms of i64", (LOTS, I64), 3 * I64, I128 - 1),
    ("entry: whole price by lots", (PRICE, LOTS), 0, I64 - 1),
    ("entry: low digit by lots", (2**32 - 1, LOTS), 0, U64),
    ("entry: entry total of a price below 2^63", (PRICE, LOTS), LOTS, U64),
    ("entry: bankruptcy total, highest price", (PRICE, LOTS), LOTS, I64 - 1),
    ("entry: bankruptcy total, lowest price", (2**31, LOTS), 0, I64),
    ("rank: lots by funding index, and a total of i64", (LOTS, I64), I64, I128 - 1),
    ("rank: equity, a worth less a total", (1, LOTS * I64 + I64), I64, I128 - 1),
    ("rank: change by lots", (I64, 2**32), 0, U128),
    ("rank: entry by lots", (I64, 2**32), 0, U128),
    ("rank: change by equity, index within 2^31", (I64 - 2**32, I64 + LOTS * 2**31 + I64), 0, U128),
    ("rank: entry by equity, index within 2^31", (I64 - 2**32, I64 + LOTS * 2**31 + I64), 0, U128),
    ("rank: a total of a class by lots, as checked", (2**94 - 1, 2**33 - 1), 0, I128 - 1),
    ("rank: a bankruptcy total below 2^94, index within 2^61", (LOTS, 2**61), I64, 2**94 - 1),
    ("rank: profit by 10,000", (I64, 10_000), 0, U128),
    ("rank: entry by least profit", (I64, 2**32 - 1), 0, U128),
    ("rank: profit's numerator by 1 + tolerance", (2**95, 10_000 + 2**32 - 1), 0, U128),
    ("rank: loss's denominator by 1 + tolerance", (2**95, 10_000 + 2**32 - 1), 0, U128),
    ("bound: funding index by 2^32", (I64, 2**32), 0, I128 - 1),
    ("bound: close quote by 2^32", (I64, 2**32), 0, U128),
    ("bound: mark by 2^32", (PRICE, 2**32), 0, I64 - 1),
    ("bound: mark by 2^32 by 10,000", (PRICE * 2**32, 10_000), 0, U128),
    ("bound: T by 1 + tolerance", (U64, 10_000 + 2**32 - 1), 0, U128),
    ("bound: a widened short entry price", (1, I64 - 1), 1, U64),
    ("narrow: entry or slope by a factor of 32 bits", (2**32 - 1, 2**32 - 1), 0, U64),
    ("narrow: a gain below 2^32 by 2^32", (2**32 - 1, 2**32), 0, U64),
    ("adl: cumulative quote before the division", (I64, LOTS), 0, U128),
    ("liquidation: equity by 10^8", (I64, 10**8), 0, U128),
    ("funding: rate by price by seconds within 2^63", (10_000 * PRICE, I64), 3_600_000_000, I128 - 1),
    ("math: a product of u64", (U64, U64), 0, U128),
)
# Factors one bit wider, which no longer fit.
LEAVES = (
    ("units: notional with a price of 2^32", (2**32, LOTS), 0, I64 - 1),
    ("entry: low digit of 33 bits", (2**33 - 1, LOTS), 0, U64),
    ("rank: change by equity at any index", (I64, LOTS * I64 + I64), 0, U128),
    ("rank: a total of a class beyond 2^94", (2**94, 2**33), 0, I128 - 1),
    ("rank: a numerator of 2^128 by 10,000", (U128, 10_000), 0, U128),
    ("bound: a short entry price at the end of u64", (1, U64), 1, U64),
)


def overflow():
    lemma = Lemma("L17", "nothing overflows at the limits of every type")
    a, b, c = Reals("a b c")

    def within(factors, added):
        return [And(x <= most, x >= -most) for x, most in zip((a, b, c), (*factors, added))]

    for what, factors, added, most in FITS:
        lemma.proves(what, within(factors, added), And(a * b + c <= most, a * b + c >= -most))
    for what, factors, added, most in LEAVES:
        lemma.mutant(what, within(factors, added), And(a * b + c <= most, a * b + c >= -most))
    gap, left, right = Ints("gap left right")
    signed = [And(x >= -I64, x < I64) for x in (left, right)]
    lemma.proves("bound: a distance of two i64 fits u64",
                 [*signed, Or(gap == left - right, gap == right - left), gap >= 0], gap <= U64)
    lemma.proves("bound: a widened bankruptcy price below the close price fits i64",
                 [*signed, left < right], left + 1 < I64)
    lemma.mutant("bound: any bankruptcy price widened fits i64", signed, left + 1 < I64)
    return lemma


def lemmas():
    return [wide(), overflow()]
