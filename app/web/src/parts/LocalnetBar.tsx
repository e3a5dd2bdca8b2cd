/** What a visitor of a market on their own machine may do to it. */
import { useState, type ReactNode } from 'react';

import { jump, type Jump } from '../localnet';
import { useSetup } from '../venue';
import { Problem } from './parts';

const JUMPS: readonly (readonly [Jump, string])[] = [
  ['crash', 'Crash: −10 %'],
  ['rally', 'Rally: +10 %'],
];

export function LocalnetBar(): ReactNode {
  const { site } = useSetup();
  const [problem, setProblem] = useState<unknown>();
  if (!site.localnet) {
    return null;
  }
  const start = (move: Jump) => {
    setProblem(undefined);
    jump(move).catch(setProblem);
  };
  return (
    <div className="bar localnet" role="group" aria-label="Your local market">
      <span>This market runs on your machine; its money is worth nothing.</span>
      {JUMPS.map(([move, label]) => (
        <button key={move} type="button" onClick={() => start(move)}>
          {label}
        </button>
      ))}
      <Problem error={problem} />
    </div>
  );
}
