import pc from 'picocolors';

/** Colours, or nothing: each takes a text and gives it back dressed. */
export type Style = Pick<ReturnType<typeof pc.createColors>, 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'>;

/**
 * Colours for a stream. In this order: `--no-color`, `NO_COLOR`, `FORCE_COLOR`, and then only on a terminal
 * that is not `dumb` (https://no-color.org, https://force-color.org).
 */
export function styleFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv, wanted: boolean): Style {
  return pc.createColors(colourful(stream, env, wanted));
}

function colourful(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv, wanted: boolean): boolean {
  if (!wanted || (env['NO_COLOR'] ?? '') !== '') return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}
