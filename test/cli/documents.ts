import type { z } from 'zod';
import { addedDocument, exportedDocument, identityDocument, removedDocument, rotatedDocument, slotsDocument } from './documents/keys.ts';
import { errorDocument } from './documents/parts.ts';
import { placementDocument } from './documents/placement.ts';
import { backupDocument, objectDocument, objectsDocument, pointsDocument, removedPointsDocument, showDocument } from './documents/points.ts';
import { diffDocument, planDocument, restoreDocument } from './documents/restore.ts';
import { doctorDocument, initDocument } from './documents/setup.ts';
import { replicateDocument, retainDocument, sweepDocument, verifyDocument } from './documents/vaults.ts';

/**
 * What `--json` prints: strict, so that nothing is renamed or appears unnoticed. docs/json.md is made of these
 * (`document-reference.ts`).
 */
export {
  addedDocument,
  backupDocument,
  diffDocument,
  doctorDocument,
  errorDocument,
  exportedDocument,
  identityDocument,
  initDocument,
  objectDocument,
  objectsDocument,
  placementDocument,
  planDocument,
  pointsDocument,
  removedDocument,
  removedPointsDocument,
  replicateDocument,
  restoreDocument,
  retainDocument,
  rotatedDocument,
  showDocument,
  slotsDocument,
  sweepDocument,
  verifyDocument,
};

/** Every document, by what prints it; in the order of docs/json.md. */
export const DOCUMENTS: Readonly<Record<string, z.ZodObject>> = {
  'Any command that fails': errorDocument,
  '`lifeboat init`': initDocument,
  '`lifeboat doctor`': doctorDocument,
  '`lifeboat placement`': placementDocument,
  '`lifeboat keys list`': slotsDocument,
  '`lifeboat keys add`': addedDocument,
  '`lifeboat keys rotate`': rotatedDocument,
  '`lifeboat keys remove`': removedDocument,
  '`lifeboat keys export`': exportedDocument,
  '`lifeboat keys new-identity`': identityDocument,
  '`lifeboat backup`': backupDocument,
  '`lifeboat points`': pointsDocument,
  '`lifeboat points --removed`': removedPointsDocument,
  '`lifeboat show POINT`': showDocument,
  '`lifeboat show POINT --objects`': objectsDocument,
  '`lifeboat show POINT OBJECT`': objectDocument,
  '`lifeboat diff`': diffDocument,
  '`lifeboat verify`': verifyDocument,
  '`lifeboat replicate`': replicateDocument,
  '`lifeboat retain`': retainDocument,
  '`lifeboat sweep`': sweepDocument,
  '`lifeboat restore --plan`': planDocument,
  '`lifeboat restore`': restoreDocument,
};
