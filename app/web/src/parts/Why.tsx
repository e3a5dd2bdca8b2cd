/** The question after a round of deleveraging. */
import { useState, type ReactNode } from 'react';

import type { Venue } from '../chain/accounts';
import { WhyMe, type Claim } from './WhyMe';

type Props = {
  readonly signature: string;
  /** Which of the transaction's events. */
  readonly at: number;
  readonly venue: Venue;
  /** Undefined where whoever tells of the round names a market that there is not. */
  readonly market: string | undefined;
  /** What somebody else than the user's node says of it. */
  readonly claim?: Claim;
};

export function Why({ market, ...props }: Props): ReactNode {
  const [asked, setAsked] = useState(0);
  return (
    <>
      {' '}
      <button type="button" onClick={() => setAsked(asked + 1)}>
        Why me?
      </button>
      {asked > 0 && market === undefined && (
        <p role="alert" className="problem" data-verdict="bad">
          ✗ There is no such market on your node’s chain.
        </p>
      )}
      {asked > 0 && market !== undefined && <WhyMe key={asked} market={market} {...props} />}
    </>
  );
}
