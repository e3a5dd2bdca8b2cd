/** Nodes, the most for priority, and colours. Kept in this browser. */
import { useState, type FormEvent, type ReactNode } from 'react';

import { Problem } from '../parts/parts';
import {
  feeCap,
  PALETTES,
  saveSettings,
  solanaNode,
  type Palette,
  type SolanaNode,
} from '../settings';
import { useNodeState, useSetup } from '../venue';

const SHOWN_NODES = [0, 1, 2];
const PALETTE_NAMES: { readonly [palette in Palette]: string } = {
  standard: 'standard',
  'colour-blind': 'for colour-blind eyes',
  monochrome: 'without colours',
};

export function SettingsPage(): ReactNode {
  const { nodes, settings } = useSetup();
  const state = useNodeState();
  const [problem, setProblem] = useState<unknown>();
  const [palette, setPalette] = useState(settings.palette);

  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '');
    try {
      const chosen = SHOWN_NODES.filter((at) => text(`rpc${at}`).trim() !== '').map(
        (at): SolanaNode => solanaNode(text(`rpc${at}`), text(`ws${at}`)),
      );
      if (chosen.length === 0) {
        throw new RangeError('name at least one node: without one there is nobody to ask');
      }
      saveSettings({ nodes: chosen, feeCapLamports: feeCap(text('fee')), palette });
      // Only a new page may reach other nodes.
      window.location.reload();
    } catch (refused) {
      setProblem(refused);
    }
  };

  return (
    <form className="settings" onSubmit={save}>
      <fieldset>
        <legend>Solana nodes, in the order in which they are asked</legend>
        <p className="muted">
          The page sends requests to these and to nobody else. Choose nodes of different operators:
          the second answers when the first does not.
        </p>
        {SHOWN_NODES.map((at) => (
          <div className="bar" key={at}>
            <label className="grow">
              Node {at + 1}
              <input
                name={`rpc${at}`}
                defaultValue={nodes.nodes[at]?.rpc ?? ''}
                spellCheck={false}
                autoComplete="off"
                inputMode="url"
              />
            </label>
            <label className="grow">
              Websocket of node {at + 1}
              <input
                name={`ws${at}`}
                defaultValue={nodes.nodes[at]?.ws ?? ''}
                spellCheck={false}
                autoComplete="off"
                inputMode="url"
              />
            </label>
            <span className="muted">
              {stateOf(at, nodes.nodes.length, state.using, state.failures.get(at))}
            </span>
          </div>
        ))}
      </fieldset>
      <label>
        Most for priority of a transaction, lamports
        <input
          name="fee"
          defaultValue={settings.feeCapLamports}
          inputMode="numeric"
          autoComplete="off"
        />
      </label>
      <label>
        Colours of lights
        <select
          value={palette}
          onChange={(event) => {
            const chosen = event.target.value as Palette;
            setPalette(chosen);
            document.documentElement.dataset['palette'] = chosen;
          }}
        >
          {PALETTES.map((one) => (
            <option key={one} value={one}>
              {PALETTE_NAMES[one]}
            </option>
          ))}
        </select>
      </label>
      <Problem error={problem} />
      <button type="submit">Save</button>
    </form>
  );
}

function stateOf(at: number, count: number, using: number, failure: string | undefined): string {
  if (at >= count) {
    return 'not set';
  }
  if (failure !== undefined) {
    return failure;
  }
  return at === using ? 'answers' : 'in reserve';
}
