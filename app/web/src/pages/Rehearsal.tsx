/** A rehearsal's report, dropped here: the waterfall, the crash price by price, and the verdict of the engine. */
import { decimalOf, type Rehearsal, type Stage } from 'ballast-client';
import { useState, type DragEvent, type ReactNode } from 'react';

import { decimal, grouped } from '../decimal';
import type { Read } from '../engine/report.worker';
import { AddressText, Amount, Figure, Problem } from '../parts/parts';

/** Decimals of the quote currency in a rehearsal. */
const DECIMALS = 6;
/** Largest report that is read, bytes. */
const MOST_BYTES = 256 << 20;
/** Disagreements that are shown. */
const SHOWN = 20;

const STAGES: { readonly [stage in Stage['stage']]: string } = {
  book: 'Order book',
  liquidator: 'Liquidators',
  pool: 'Backstop pool',
  insurance: 'Insurance',
  deleveraging: 'Auto-deleveraging',
};

export function RehearsalPage(): ReactNode {
  const [read, setRead] = useState<Rehearsal>();
  const [problem, setProblem] = useState<unknown>();
  const [reading, setReading] = useState('');

  const open = (file: File | undefined) => {
    if (file === undefined) {
      return;
    }
    setProblem(undefined);
    setRead(undefined);
    setReading(file.name);
    decided(file)
      .then(setRead, setProblem)
      .finally(() => setReading(''));
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    open(event.dataTransfer.files[0]);
  };

  return (
    <div onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      <p className="lead">
        <code>cargo xtask rehearse</code> plays a crash through the built program and writes{' '}
        <code>target/rehearsal/report.json</code>. Drop such a file here: it stays in this browser,
        and every round in it is decided again by the engine.
      </p>
      <label className="drop">
        Report{' '}
        <input
          type="file"
          accept="application/json,.json"
          onChange={(event) => open(event.target.files?.[0])}
        />
      </label>
      {reading !== '' && <p role="status">Deciding {reading} again…</p>}
      <Problem error={problem} />
      {read !== undefined && <Shown read={read} />}
    </div>
  );
}

async function decided(file: File): Promise<Rehearsal> {
  if (file.size > MOST_BYTES) {
    throw new RangeError(`${file.name} has ${file.size} bytes; reports have at most ${MOST_BYTES}`);
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  const worker = new Worker(new URL('../engine/report.worker.ts', import.meta.url), {
    type: 'module',
  });
  try {
    const answer = await new Promise<Read>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Read>) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(`the engine has stopped (${message})`));
      worker.postMessage(bytes, [bytes.buffer]);
    });
    if ('refusal' in answer) {
      throw new Error(answer.refusal);
    }
    return answer.rehearsal;
  } finally {
    worker.terminate();
  }
}

function Shown({ read }: { readonly read: Rehearsal }): ReactNode {
  const { scenario, verdict, checks } = read;
  return (
    <>
      <div
        className={`card ${verdict.verified ? 'verdict-good' : 'verdict-bad'}`}
        data-verdict={verdict.verified ? 'good' : 'bad'}
        role="status"
      >
        <p className={verdict.verified ? undefined : 'problem'}>
          {verdict.verified
            ? `✓ ${decimal(read.rounds.length, 0)} rounds decided again in this page: ${decimal(verdict.figures, 0)} figures agree.`
            : `✗ ${decimal(verdict.disagreements.length, 0)} of ${decimal(verdict.figures, 0)} figures do not agree with what the engine decides.`}
        </p>
        <ul>
          {verdict.disagreements.slice(0, SHOWN).map(({ field, recorded, recomputed }) => (
            <li key={field}>
              {field}: recorded {recorded}, decided {recomputed}
            </li>
          ))}
        </ul>
        <details>
          <summary>What the file cannot show</summary>
          <ul>
            {verdict.not_verifiable.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </details>
      </div>
      <dl className="figures">
        <Figure label="Market">{scenario.market}</Figure>
        <Figure label="Seed">{scenario.seed}</Figure>
        <Figure label="Traders">{decimal(scenario.traders, 0)}</Figure>
        <Figure label="Checks passed" id="checks">
          {checks.filter(({ passed }) => passed).length} of {checks.length}
        </Figure>
      </dl>
      <p className="muted">{scenario.prices}</p>
      <Replay read={read} />
      <Rounds read={read} />
      <section aria-label="Checks">
        <h2>What was checked</h2>
        <ul>
          {checks.map(({ name, passed, figure }) => (
            <li key={name}>
              {passed ? '✓' : '✗'} {name}: {figure}
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

/** The crash price by price: a slider, and what each stage had absorbed by then. */
function Replay({ read }: { readonly read: Rehearsal }): ReactNode {
  const last = read.path.length - 1;
  const [at, setAt] = useState(last);
  const step = read.path[at];
  const ends = read.absorbed[last] ?? [];
  const most = ends.reduce((max, atoms) => (BigInt(atoms) > max ? BigInt(atoms) : max), 1n);
  if (step === undefined) {
    return <p>The path has no price.</p>;
  }
  const tick = BigInt(read.scenario.tick_nano);
  const lot = BigInt(read.scenario.lot_nano);
  const when = new Date(Number(step.timestamp) * 1_000).toISOString().slice(0, 19);
  return (
    <section aria-label="Waterfall">
      <h2>Who took the lots</h2>
      <label className="slider">
        Price {at + 1} of {read.path.length}
        <input
          type="range"
          min={0}
          max={last}
          value={at}
          onChange={(event) => setAt(Number(event.target.value))}
        />
      </label>
      <dl className="figures">
        <Figure label="When (UTC)">{when.replace('T', ' ')}</Figure>
        <Figure label="Price" id="replay_price">
          {grouped(decimalOf(BigInt(step.price_ticks), tick))}
        </Figure>
        <Figure label="Insurance" id="replay_insurance">
          <Amount atoms={step.insurance_atoms} decimals={DECIMALS} />
        </Figure>
        <Figure label="Open interest">
          {grouped(decimalOf(BigInt(step.open_interest_lots), lot))}
        </Figure>
      </dl>
      <div className="scroll" tabIndex={0} role="group" aria-label="What each stage absorbed">
        <table className="gaps">
          <thead>
            <tr>
              <th scope="col">Stage</th>
              <th scope="col">Absorbed by then</th>
              <th scope="col">In all, size</th>
              <th scope="col">The other side gained</th>
            </tr>
          </thead>
          <tbody>
            {read.waterfall.map((stage, index) => {
              const by = read.absorbed[at]?.[index] ?? '0';
              return (
                <tr key={stage.stage} data-stage-of={stage.stage}>
                  <th scope="row">{STAGES[stage.stage]}</th>
                  <td className="plotted">
                    <i
                      aria-hidden="true"
                      style={{ width: `${Number((BigInt(by) * 100n) / most)}%` }}
                    />
                    <Amount atoms={by} decimals={DECIMALS} />
                  </td>
                  <td className="number">{grouped(decimalOf(BigInt(stage.lots), lot))}</td>
                  <td>
                    <Amount atoms={stage.gained_atoms} decimals={DECIMALS} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Rounds({ read }: { readonly read: Rehearsal }): ReactNode {
  const tick = BigInt(read.scenario.tick_nano);
  if (read.rounds.length === 0) {
    return <p>Nobody was deleveraged.</p>;
  }
  return (
    <section aria-label="Rounds of deleveraging">
      <h2>Rounds of deleveraging</h2>
      <div className="scroll" tabIndex={0} role="group" aria-label="Rounds, in order">
        <table>
          <thead>
            <tr>
              <th scope="col">Round</th>
              <th scope="col">Mark</th>
              <th scope="col">Bankrupt</th>
              <th scope="col">Lots closed</th>
              <th scope="col">Winners cut</th>
              <th scope="col">They gave up</th>
            </tr>
          </thead>
          <tbody>
            {read.rounds.map((round) => (
              <tr key={round.round}>
                <td className="number">{decimal(round.round, 0)}</td>
                <td className="number">{grouped(decimalOf(BigInt(round.mark_ticks), tick))}</td>
                <td>
                  <AddressText address={round.bankrupt} />
                </td>
                <td className="number">{decimal(round.closed_lots, 0)}</td>
                <td className="number">{decimal(round.cuts, 0)}</td>
                <td>
                  <Amount atoms={round.gave_up_atoms} decimals={DECIMALS} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
