/** The mark that every figure of an answer is for. */
import type { MarketAtMark, MarkSource } from 'ballast-client';
import type { ReactNode } from 'react';

import { age, grouped } from '../decimal';

type Answer = MarketAtMark & {
  readonly mark_source: MarkSource;
  readonly mark_age_seconds: string | null;
  readonly price_fault?: string | null;
};

/** How old a price may be before it is called old, seconds. */
const OLD_SECONDS = 60;

export function Mark({ answer }: { readonly answer: Answer }): ReactNode {
  const seconds = answer.mark_age_seconds;
  const old = seconds === null || Number(seconds) > OLD_SECONDS;
  return (
    <p className="mark">
      <span>
        {answer.market} at <strong data-testid="mark">{grouped(answer.mark)}</strong>
      </span>
      <span className={old ? 'age stale' : 'age'}>
        {seconds === null
          ? 'the last price that the market recorded'
          : `price ${age(seconds)} old at slot ${answer.slot}`}
      </span>
      {answer.price_fault != null && <span className="problem">{answer.price_fault}</span>}
    </p>
  );
}
