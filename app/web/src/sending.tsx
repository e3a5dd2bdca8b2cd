/** Sending transactions from a page, and saying how far each has come. */
import type { Instruction } from '@solana/kit';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useState, type ReactNode } from 'react';

import { refusalOf } from './chain/refusal';
import { send, type Progress } from './chain/transaction';
import { useChain, useSetup } from './venue';
import { useWallets } from './wallet';

/** What the user is doing, and how far it has come. */
export type Sent = { readonly purpose: string; readonly progress: Progress };

/** Sending, and what became of the last. */
export type Sending = {
  readonly sent: Sent | undefined;
  readonly busy: boolean;
  run(purpose: string, build: () => Promise<readonly Instruction[]>): Promise<Progress | undefined>;
};

/** Sends what `build` makes; nothing is sent twice at a time. */
export function useSend(): Sending {
  const { nodes, settings } = useSetup();
  const { signer } = useWallets();
  const chain = useChain();
  const client = useQueryClient();
  const [sent, setSent] = useState<Sent>();
  const run = useCallback(
    async (purpose: string, build: () => Promise<readonly Instruction[]>) => {
      const tell = (progress: Progress) => setSent({ purpose, progress });
      const signing = signer(chain);
      if (signing === undefined) {
        tell({ stage: 'refused', sentence: 'no wallet is connected; connect one first' });
        return undefined;
      }
      tell({ stage: 'building' });
      let instructions: readonly Instruction[];
      try {
        instructions = await build();
      } catch (problem) {
        tell({ stage: 'refused', sentence: refusalOf(problem, []) });
        return undefined;
      }
      const feeCapLamports = BigInt(settings.feeCapLamports);
      const ended = await send(instructions, {
        rpc: nodes.rpc,
        signer: signing,
        feeCapLamports,
        tell,
      });
      await client.invalidateQueries();
      return ended;
    },
    [chain, client, nodes, settings, signer],
  );
  const stage = sent?.progress.stage;
  return { sent, run, busy: stage === 'building' || stage === 'signing' || stage === 'sent' };
}

/** How far a transaction has come, in words: success only once it is confirmed. */
export function SentWords({ sent }: { readonly sent: Sent | undefined }): ReactNode {
  return (
    <p
      role="status"
      className={sent?.progress.stage === 'refused' ? 'problem sent' : 'sent'}
      data-stage={sent?.progress.stage}
    >
      {sent === undefined ? '' : `${sent.purpose}: ${words(sent.progress)}`}
    </p>
  );
}

function words(progress: Progress): string {
  switch (progress.stage) {
    case 'building':
      return 'built and tried on the node…';
    case 'signing':
      return 'waits for your signature in the wallet…';
    case 'sent':
      return `sent, not yet confirmed (${progress.signature})…`;
    case 'confirmed':
      return `confirmed in slot ${progress.slot} (${progress.signature}).`;
    case 'expired':
      return `expired: it is in no block and never will be. Nothing has happened; try again (${progress.signature}).`;
    default:
      return `refused: ${progress.sentence}.`;
  }
}
