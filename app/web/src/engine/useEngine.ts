/** The engine's answer about accounts that were read, kept until the next are. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';

import { ask, type Answer, type Method, type Request } from '.';

/** How long an answer that nothing shows any more is kept, milliseconds. */
const KEPT_MS = 5_000;

/**
 * Asks as soon as there is a request. `read` tells requests apart: what they are about, then when their
 * accounts were read and whatever else they depend on.
 */
export function useEngine<M extends Method>(
  method: M,
  read: readonly (number | string | undefined)[],
  request: Request<M> | undefined,
): UseQueryResult<Answer<M>> {
  return useQuery({
    queryKey: ['engine', method, ...read],
    queryFn: () => ask(method, request as Request<M>),
    enabled: request !== undefined,
    staleTime: Infinity,
    gcTime: KEPT_MS,
    retry: false,
    // The answer of a moment ago, never that about something else.
    placeholderData: (previous, query) => (query?.queryKey[2] === read[0] ? previous : undefined),
  });
}
