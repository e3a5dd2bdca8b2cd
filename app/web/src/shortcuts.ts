/** Keys that do something where nobody types. */
import { useEffect, useRef } from 'react';

/** What a key does. */
export type Shortcuts = { readonly [key: string]: () => void };

/** Elements in which keys are text, or mean something already. */
const TAKES_KEYS = 'input:not([type="radio"]):not([type="checkbox"]), textarea, select';

/**
 * Listens while the component is there. In a field only Escape counts; with a modifier nothing does, for that
 * is the browser's.
 */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) {
        return;
      }
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const typing = event.target instanceof Element && event.target.matches(TAKES_KEYS);
      const act = latest.current[key];
      if (act === undefined || (typing && key !== 'Escape')) {
        return;
      }
      event.preventDefault();
      act();
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, []);
}
