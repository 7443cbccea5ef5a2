import { located, secretFromEnv, secretFromFile } from '../../access/secret-source.ts';
import type { Surroundings } from '../../access/surroundings.ts';
import type { ServerConfig } from '../../config/service-schema.ts';
import { parseAuditKey } from '../../keys/audit-key.ts';
import type { AuditKey } from '../../keys/audit-key.ts';

/** The key that signs the audit trail. Its text is never shown from then on. Throws `LB_KEY_MISSING`, `LB_KEY_INVALID`. */
export async function loadAuditKey(surroundings: Surroundings, audit: ServerConfig['audit']): Promise<AuditKey> {
  const { text, from } = audit.key === undefined ? secretFromEnv(surroundings, audit.keyEnv ?? '', 'audit key') : await secretFromFile(audit.key, 'audit key');
  surroundings.hide(text);
  try {
    return parseAuditKey(text);
  } catch (error) {
    throw located(error, from);
  }
}
