"""Proves the lemmas of docs/ADL.md and docs/CROSS_MARGIN.md: every answer must be the expected one. `lemmas.py L3 L7` checks
only those."""

import sys

import checks
import cross
import limits
import money
import scores
import solvency
import walk


def main(chosen):
    lemmas = [*scores.lemmas(), *walk.lemmas(), *money.lemmas(), *limits.lemmas(), *solvency.lemmas(),
              *cross.lemmas()]
    names = [lemma.name for lemma in lemmas]
    if names != [f"L{number}" for number in range(1, len(lemmas) + 1)]:
        sys.exit(f"lemmas: misnumbered: {names}")
    unknown = [name for name in chosen if name not in names]
    if unknown:
        sys.exit(f"lemmas: there is no {' '.join(unknown)}; there are L1 to {names[-1]}")
    selected = [lemma for lemma in lemmas if not chosen or lemma.name in chosen]
    return 1 if checks.run(selected) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
