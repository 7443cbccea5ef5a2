import { access } from 'node:fs/promises';
import { LifeboatError } from '../../core/errors.ts';
import { liveSource } from '../../pipeline/sources.ts';
import type { Selection, StateSource } from '../../site/types.ts';
import type { Context } from '../context.ts';
import { connectChosen } from '../../access/sites.ts';
import type { SiteChoice } from '../../access/sites.ts';

/** One of two states to compare, as named on the command line. */
export type SideName = { readonly kind: 'point'; readonly id: string } | ({ readonly kind: 'site' } & SiteChoice);

/** Ids of points begin with the day; `latest` is the newest. */
const POINT = /^(?:latest|\d{8}(?:T[\dA-Za-z-]*)?)$/;

/**
 * What a text names: `latest` or (the beginning of) a point's id; `site:NAME`; a kubeconfig, as FILE or FILE#CONTEXT.
 * Throws `LB_USAGE`.
 */
export async function sideOf(context: Context, text: string): Promise<SideName> {
  if (text.startsWith('site:')) return { kind: 'site', site: text.slice('site:'.length) };
  if (POINT.test(text)) return { kind: 'point', id: text };
  const hash = text.lastIndexOf('#');
  const [file, named] = hash > 0 ? [text.slice(0, hash), text.slice(hash + 1)] : [text, undefined];
  const there = await access(context.path(file)).then(
    () => true,
    () => false,
  );
  if (there) return { kind: 'site', kubeconfig: file, context: named };
  const config = await context.configIfAny();
  throw new LifeboatError('LB_USAGE', `\`${text}\` is neither a point, nor a site, nor a kubeconfig that is there`, {
    hint: config?.sites.has(text) === true ? `Did you mean \`site:${text}\`?` : 'Write `latest` or an id from `lifeboat points`, site:NAME, or the file of a kubeconfig.',
  });
}

/** Reads a live site as it is now. */
export async function readSite(context: Context, side: SiteChoice, selection: Selection): Promise<StateSource> {
  const connection = await connectChosen(context, side);
  try {
    const { output, signal } = context;
    return await liveSource(connection, { selection, signal, onProgress: output.progress.report, onWarning: output.warn });
  } finally {
    await connection.close();
  }
}
