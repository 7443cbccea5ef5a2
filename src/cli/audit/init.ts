import { EXIT } from '../../core/error-codes.ts';
import { formatAuditKey, formatAuditPublicKey, generateAuditKey } from '../../keys/index.ts';
import type { Context } from '../context.ts';
import { SECRET_MODE, writeNewFile } from '../new-file.ts';

export interface AuditInitOptions {
  readonly output: string;
}

/** `lifeboat audit init`: makes the key that signs the audit trail of a server. */
export async function auditInit(context: Context, options: AuditInitOptions): Promise<number> {
  const key = generateAuditKey();
  const publicKey = formatAuditPublicKey(key);
  const file = context.path(options.output);
  await writeNewFile(file, `# lifeboat audit key of server ${key.server}\n# public: ${publicKey}\n${formatAuditKey(key)}\n`, SECRET_MODE);
  await context.output.result({ ok: true, server: key.server, file, publicKey }, () =>
    [`audit key of server ${key.server}: ${options.output}`, `  name it under server.audit.key in lifeboat.yaml`, `  keep its public half apart, to check the trail with:`, `  ${publicKey}`].join('\n'),
  );
  return EXIT.ok;
}
