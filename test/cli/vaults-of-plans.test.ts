import { rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { verifyDocument } from './documents.ts';
import { keptHome } from './kept-home.ts';

const AT = '2026-03-14T10:00:00.000Z';

it('verify asks of a vault the points that plans put there, and of one that is in no plan of theirs none', async () => {
  const { home, point } = await keptHome('prod: {site: prod, vaults: [near, far]}, edge: {site: edge, vaults: [near]}');
  const [prod, edge] = [await point('prod', AT), await point('edge', AT)];
  await rm(home.path(`far/points/edge/${edge}`));
  expect(await home.json(verifyDocument, 0, ['verify', '--data', '--heal'])).toMatchObject({ findings: [], repairs: [] });
  // Whoever names vaults by their addresses has no plans, and wants them alike.
  const alike = await home.json(verifyDocument, 4, ['verify', '--vault', 'dir:near', '--vault', 'dir:far']);
  expect(alike.findings.map(({ vault, object }) => [vault, object])).toEqual([['vault-2', `points/edge/${edge}`]]);
  await rm(home.path(`far/points/prod/${prod}`));
  const { findings } = await home.json(verifyDocument, 4, ['verify']);
  expect(findings.map(({ vault, object, kind }) => [vault, object, kind])).toEqual([['far', `points/prod/${prod}`, 'missing']]);
});
