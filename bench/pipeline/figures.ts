import type { Figure } from '../figure.ts';

/** All figures of the pipeline. */
export async function pipelineFigures(say: (line: string) => void): Promise<readonly Figure[]> {
  const { tickFigures } = await import('./tick.ts');
  const { killFigures } = await import('./kills.ts');
  const { manySitesFigures } = await import('./many-sites.ts');
  const { functionFigures } = await import('../functions.ts');
  return [...(await tickFigures(say)), ...(await killFigures(say)), ...(await manySitesFigures(say)), ...(await functionFigures(say))];
}
