//! What other venues use, as far as it is known.

/// A section of the document. The figures of its first table were measured beside Ballast's, the others not.
pub const SECTION: &str = "
## Peers

Whole transactions of order books beside Ballast in one virtual machine, 450 orders a side, Ballast with
queues of 100,000 positions and with the program as it was before its events were written into one buffer.
The others are spot books: no margin, no funding, no ranking, no price.

| | Ballast | Manifest | Phoenix | OpenBook v2 |
|---|---|---|---|---|
| an order that waits | 14,581 | 3,884 | 15,139 | 22,652 |
| an order that meets one maker | 23,619 | 4,164 | 14,828 | 27,106 |
| a further maker | 7,166 | 1,566 | 1,122 | 6,161 |
| a cancellation | 9,387 | 2,723 | 8,095 | 8,511 |

Manifest at 95ee542e and Phoenix at 7703c5 (a fork) were built from source by `scripts/sbf`, OpenBook v2 is the
build that protocol-v2 ships among its test fixtures. To measure again: load the built program into
LiteSVM, fill a market with 450 orders a side, and read `compute_units_consumed` of one transaction of
each kind. Ballast's figures of today are those of [Orders](#orders).

The following figures were not measured here. *Reported* ones are others' measurements, of other
transactions on other versions than today's; *limits* are what a venue's keepers ask for, which
bounds what they use from above.

| | liquidation | a fill | auto-deleveraging of one position | source of the figure |
|---|---|---|---|---|
| flash-book | 52,700 | 41,300 | - | reported, not measured by us |
| Mango | 79,000 to 84,000 | - | losses are socialised | reported, not measured by us |
| percolator v16 | 206,000 to 247,000 | 75,600 | - | reported, not measured by us |
| gmx-solana | 400,000 | - | 800,000, order not proven | published compute unit limits |

Ballast's figures for the same are `liquidate`, `block_trade` and `auto_deleverage` above. No venue
that we know of proves on chain that nobody ranked higher was skipped, so that the proof has no peer
to be compared with.
";
