/** A round of deleveraging, fetched again from the user's own node and decided again in this page. */
import { type Address } from '@solana/kit';
import { useQuery } from '@tanstack/react-query';
import type { Explanation } from 'ballast-client';
import type { ReactNode } from 'react';

import { present, readAccounts, type Venue } from '../chain/accounts';
import { readTransaction } from '../chain/history';
import type { Nodes } from '../chain/nodes';
import { atomsOf, decimal, plainDecimal } from '../decimal';
import { ask } from '../engine';
import { useSetup, useTraders } from '../venue';
import { useWallets } from '../wallet';
import { AddressText, Amount, Problem } from './parts';

/** What somebody else than the user's node says that a round did to a trader account. */
export type Claim = {
  readonly trader: string;
  readonly lots: string;
  /** Profit given up, as a decimal number. */
  readonly gaveUp: string;
};

type Props = {
  readonly signature: string;
  /** Which of the transaction's events. */
  readonly at: number;
  readonly venue: Venue;
  readonly market: string;
  readonly claim?: Claim | undefined;
};

export function WhyMe({ signature, at, venue, market, claim }: Props): ReactNode {
  const { nodes } = useSetup();
  const { owner } = useWallets();
  const own = useTraders(owner).data?.map(({ account }) => String(account.address)) ?? [];
  const why = useQuery({
    queryKey: ['why', signature, at],
    queryFn: () => decideAgain(nodes, signature, at, market as Address),
    gcTime: 0,
    staleTime: Infinity,
    retry: false,
  });
  if (why.error !== null) {
    return (
      <div className="card verdict-bad" role="alert" data-verdict="bad">
        <p className="problem">✗ Your node’s answer cannot be what the program did.</p>
        <Problem error={why.error} />
      </div>
    );
  }
  if (why.data === undefined) {
    return <p role="status">Fetching the transaction again and deciding it again…</p>;
  }
  const { figures, disagreements, decision, proven_by_the_program: proven } = why.data;
  const decimals = venue.exchange.mintDecimals;
  const contradiction =
    claim === undefined ? undefined : contradictionOf(claim, decision?.cuts, decimals);
  const verified = why.data.verified && contradiction === undefined;
  return (
    <div
      className={`card ${verified ? 'verdict-good' : 'verdict-bad'}`}
      data-verdict={verified ? 'good' : 'bad'}
      role="status"
    >
      <p className={verified ? undefined : 'problem'}>
        {verified
          ? `✓ ${figures} figures agree: fetched again from your node and decided again in this page.`
          : contradiction === undefined
            ? `✗ ${disagreements.length} of ${figures} figures do not agree with what the engine decides.`
            : `✗ ${contradiction}`}
      </p>
      {disagreements.length > 0 && (
        <ul>
          {disagreements.map(({ field, recorded, recomputed }) => (
            <li key={field}>
              {field}: recorded {recorded}, decided {recomputed}
            </li>
          ))}
        </ul>
      )}
      {decision !== null && (
        <>
          <p>
            The bankrupt position lacked{' '}
            <Amount atoms={decision.deficit_atoms} decimals={decimals} />; insurance paid{' '}
            <Amount atoms={decision.insurance_paid_atoms} decimals={decimals} />, winners gave up{' '}
            <Amount atoms={decision.gave_up_atoms} decimals={decimals} />.
            {proven.nobody_skipped &&
              ` The program proved on chain that nobody was skipped (${placesOf(proven)} places looked at).`}
            {decision.to_equity === true &&
              ' No account could bear the cut of a lot and keep its maintenance margin: they were cut as far as their equity lasts.'}
          </p>
          <div className="scroll" tabIndex={0} role="group" aria-label="Who was cut, in order">
            <table>
              <thead>
                <tr>
                  <th scope="col">Place</th>
                  <th scope="col">Trader account</th>
                  <th scope="col">Class</th>
                  <th scope="col">Lots before</th>
                  <th scope="col">Lots closed</th>
                  <th scope="col">Realized</th>
                  <th scope="col">Given up</th>
                </tr>
              </thead>
              <tbody>
                {decision.cuts.map((cut) => (
                  <tr key={cut.trader} aria-current={own.includes(cut.trader) ? 'true' : undefined}>
                    <td className="number">{cut.place}</td>
                    <td>
                      <AddressText address={cut.trader} />
                      {own.includes(cut.trader) && ' (you)'}
                    </td>
                    <td>
                      {cut.class}
                      {cut.leg !== null && (
                        <>
                          ; a leg, by all of its account’s{' '}
                          <Amount atoms={cut.leg.equity_atoms} decimals={decimals} />
                        </>
                      )}
                    </td>
                    <td className="number">{decimal(cut.lots_before, 0)}</td>
                    <td className="number">
                      {decimal(cut.lots, 0)}
                      {cut.leg?.shortened === true && ' (the account could bear no more)'}
                    </td>
                    <td>
                      <Amount atoms={cut.realized_atoms} decimals={decimals} />
                    </td>
                    <td>
                      <Amount atoms={cut.gave_up_atoms} decimals={decimals} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </div>
  );
}

function placesOf(proven: Explanation['proven_by_the_program']): bigint {
  return BigInt(proven.nodes_visited) + BigInt(proven.cross_nodes_visited ?? 0);
}

type Cuts = readonly { trader: string; lots: string; gave_up_atoms: string }[];

/** In what the claim is not what the user's node and the engine say. */
function contradictionOf(
  claim: Claim,
  cuts: Cuts | undefined,
  decimals: number,
): string | undefined {
  const cut = cuts?.find(({ trader }) => trader === claim.trader);
  if (cut === undefined) {
    return 'The gateway says that you were cut; by your own node you were not.';
  }
  const gaveUp = plainDecimal(cut.gave_up_atoms, decimals);
  if (cut.lots !== claim.lots) {
    return `The gateway says that ${claim.lots} lots were closed; by your own node ${cut.lots} were.`;
  }
  // The gateway's numbers may have zeros at their end.
  if (atomsOrNone(claim.gaveUp, decimals) !== BigInt(cut.gave_up_atoms)) {
    return `The gateway says that you gave up ${claim.gaveUp}; by your own node it is ${gaveUp}.`;
  }
  return undefined;
}

function atomsOrNone(text: string, decimals: number): bigint | undefined {
  try {
    return atomsOf(text, decimals);
  } catch {
    return undefined;
  }
}

async function decideAgain({ rpc }: Nodes, signature: string, at: number, market: Address) {
  const happened = await readTransaction(rpc, signature);
  const announced = happened.announcements[at];
  if (announced === undefined || announced.event.name !== 'AutoDeleveraged') {
    throw new Error('the node now has another transaction under this signature');
  }
  const [account] = (await readAccounts(rpc, [market])).accounts;
  const next = happened.announcements[at + 1];
  return ask('explain', {
    market: present(account, 'The market'),
    event: announced.data,
    cross: next?.event.name === 'CrossRound' ? next.data : undefined,
    slot: happened.slot,
    signature,
  });
}
