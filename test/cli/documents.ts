import type { z } from 'zod';
import { drillDocument, drillDryRunDocument, drillReportsDocument } from './documents/drill.ts';
import { addedDocument, exportedDocument, identityDocument, removedDocument, rotatedDocument, slotsDocument } from './documents/keys.ts';
import { jobDocument, jobsDocument } from './documents/jobs.ts';
import { errorDocument } from './documents/parts.ts';
import { placementDocument } from './documents/placement.ts';
import { backupDocument, objectDocument, objectsDocument, pointsDocument, removedPointsDocument, showDocument } from './documents/points.ts';
import { diffDocument, planDocument, restoreDocument } from './documents/restore.ts';
import { auditInitDocument, auditListDocument, auditVerifyDocument, remoteAcceptedDocument, remoteRestoreDocument } from './documents/server.ts';
import { doctorDocument, initDocument } from './documents/setup.ts';
import { statusDocument } from './documents/status.ts';
import { replicateDocument, retainDocument, sweepDocument, verifyDocument } from './documents/vaults.ts';

/**
 * What `--json` prints: strict, so that nothing is renamed or appears unnoticed. docs/json.md is made of these
 * (`document-reference.ts`).
 */
export {
  addedDocument,
  auditInitDocument,
  auditListDocument,
  auditVerifyDocument,
  backupDocument,
  diffDocument,
  doctorDocument,
  drillDocument,
  drillDryRunDocument,
  drillReportsDocument,
  errorDocument,
  exportedDocument,
  identityDocument,
  initDocument,
  objectDocument,
  objectsDocument,
  placementDocument,
  planDocument,
  pointsDocument,
  remoteAcceptedDocument,
  remoteRestoreDocument,
  removedDocument,
  removedPointsDocument,
  replicateDocument,
  restoreDocument,
  retainDocument,
  rotatedDocument,
  showDocument,
  slotsDocument,
  statusDocument,
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
  '`lifeboat status`': statusDocument,
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
  '`lifeboat drill`': drillDocument,
  '`lifeboat drill --dry-run`': drillDryRunDocument,
  '`lifeboat drill --reports`': drillReportsDocument,
  '`lifeboat jobs`': jobsDocument,
  '`lifeboat jobs ID`': jobDocument,
  '`lifeboat restore --server`': remoteAcceptedDocument,
  '`lifeboat restore --server --follow`': remoteRestoreDocument,
  '`lifeboat audit init`': auditInitDocument,
  '`lifeboat audit verify`': auditVerifyDocument,
  '`lifeboat audit list`': auditListDocument,
};
