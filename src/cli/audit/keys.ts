import { LifeboatError } from '../../core/errors.ts';
import { parseAuditPublicKey } from '../../keys/index.ts';
import type { AuditPublicKey } from '../../keys/index.ts';
import { loadAuditKey } from '../../server/audit/load-key.ts';
import type { VaultOptions } from '../../access/options.ts';
import type { Context } from '../context.ts';

export interface AuditReadOptions extends VaultOptions {
  readonly publicKey?: readonly string[];
}

/** The keys that are believed: those of the command line, else the one of lifeboat.yaml. Throws `LB_KEY_MISSING`, `LB_KEY_INVALID`. */
export async function trustedKeys(context: Context, { publicKey = [] }: AuditReadOptions): Promise<readonly AuditPublicKey[]> {
  if (publicKey.length > 0) return publicKey.map(parseAuditPublicKey);
  const audit = (await context.configIfAny())?.server?.audit;
  if (audit === undefined) throw new LifeboatError('LB_KEY_MISSING', 'Nothing says which audit trail is genuine', { hint: 'Give --public-key with what `lifeboat audit init` printed, or run this where lifeboat.yaml has `server.audit`.' });
  return [await loadAuditKey(context, audit)];
}
