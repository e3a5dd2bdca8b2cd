"""Lemmas, how each is checked, and the table of results.

A proof is the absence of a counterexample: the assumptions with the negated claim have no solution.
Two checks guard against a proof of nothing. The assumptions alone have a solution, and every lemma
has mutants, wrong on purpose, of which a counterexample must be found.
"""

import time
from dataclasses import dataclass, field

import z3

TIMEOUT_MS = 10_000


@dataclass
class Check:
    """One question to the solver and the answer that is right."""

    what: str
    expected: str
    formulas: list


@dataclass
class Lemma:
    """A numbered statement of docs/ADL.md or docs/CROSS_MARGIN.md."""

    name: str
    title: str
    checks: list = field(default_factory=list)

    def proves(self, what, assumptions, claim):
        """The claim follows from the assumptions, which can be met."""
        self.checks.append(Check(what, "unsat", [*assumptions, z3.Not(claim)]))
        self.checks.append(Check("  and can be met", "sat", list(assumptions)))

    def mutant(self, what, assumptions, claim):
        """The claim does not follow: a counterexample exists."""
        self.checks.append(Check(f"mutant: {what}", "sat", [*assumptions, z3.Not(claim)]))


def solve(formulas):
    """The solver's answer and the milliseconds it took."""
    started = time.monotonic()
    solver = z3.Solver()
    solver.set("timeout", TIMEOUT_MS)
    solver.add(*formulas)
    answer = str(solver.check())
    return answer, (time.monotonic() - started) * 1000


def run(lemmas):
    """Checks everything, prints a line each and returns the number of wrong answers."""
    wrong, checks, total = 0, 0, 0.0
    for lemma in lemmas:
        print(f"{lemma.name:4} {lemma.title}")
        answers = [check.expected for check in lemma.checks]
        mutants = sum(check.what.startswith("mutant: ") for check in lemma.checks)
        if "unsat" not in answers or mutants == 0:
            print(f"     {lemma.name} lacks a proof or a mutant")
            wrong += 1
        for check in lemma.checks:
            answer, elapsed = solve(check.formulas)
            right = answer == check.expected
            verdict = "" if right else f"  WRONG, expected {check.expected}"
            print(f"     {check.what:76} {answer:7} {elapsed:7.0f} ms{verdict}", flush=True)
            wrong += not right
            checks += 1
            total += elapsed
    print(f"{len(lemmas)} lemmas, {checks} checks, {wrong} wrong, {total / 1000:.1f} s")
    return wrong
