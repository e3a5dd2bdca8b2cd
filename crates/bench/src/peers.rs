//! What other venues use, as far as it is known.

/// A section of the document. None of its figures was measured here.
pub const SECTION: &str = "
## Peers

None of these figures was measured here. *Reported* ones are others' measurements, of other
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
