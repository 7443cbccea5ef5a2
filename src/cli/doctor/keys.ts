import type { OpenerConfig } from '../../config/keys-schema.ts';
import type { Config } from '../../config/load.ts';
import type { WriteKey } from '../../keys/index.ts';
import type { Context } from '../context.ts';
import { loadOpeners, loadOpenersIfAny, loadWriteKey } from '../../access/key-files.ts';
import type { Opener } from '../../access/key-files.ts';
import { failure } from './finding.ts';
import type { Report } from './finding.ts';
import { readableByOthers } from '../../access/secret-source.ts';

/** The keys that could be read, for trying them on the vaults. */
export interface FoundKeys {
  readonly writeKey: WriteKey | undefined;
  readonly openers: readonly Opener[];
  /** Those of the maintain role, where lifeboat.yaml names some. */
  readonly maintainers: readonly Opener[];
}

const SUBJECT = 'keys';

/** Looks at the configured keys themselves: there, well-formed, and readable by their owner alone. */
export async function checkKeys(context: Context, config: Config, report: Report): Promise<FoundKeys> {
  let writeKey: WriteKey | undefined;
  try {
    writeKey = await loadWriteKey(context);
    report({ subject: SUBJECT, check: 'write-key', status: 'ok', message: `the write key is of repository ${writeKey.repositoryId}` });
    if (config.writeKey?.file !== undefined) await checkMode(config.writeKey.file, 'the write key', report);
  } catch (error) {
    report(failure(SUBJECT, 'write-key', error));
  }

  let openers: readonly Opener[] = [];
  try {
    let missing = false;
    openers = await loadOpenersIfAny(context, {}, 'read', ({ message, where }) => {
      missing = true;
      const fix = 'Bring it back, or take `keys.read` out of lifeboat.yaml: a machine that only makes backups should not have it.';
      report({ subject: SUBJECT, check: 'read-key', status: 'warn', message: `${message}: ${where ?? ''}`, fix });
    });
    if (openers.length === 0 && !missing) {
      report({ subject: SUBJECT, check: 'read-key', status: 'ok', message: 'no key that opens the repository is configured: right for a machine that only makes backups' });
    }
    if (openers.length > 0) await checkModes(config.readKey, 'the key that opens the repository', report);
  } catch (error) {
    report(failure(SUBJECT, 'read-key', error));
  }

  let maintainers: readonly Opener[] = [];
  try {
    if (config.maintainKey !== undefined) {
      maintainers = await loadOpeners(context, {}, 'maintain', () => Promise.resolve([]));
      await checkModes(config.maintainKey, 'the maintain key', report);
    }
  } catch (error) {
    report(failure(SUBJECT, 'maintain-key', error));
  }
  return { writeKey, openers, maintainers };
}

async function checkModes(source: OpenerConfig | undefined, what: string, report: Report): Promise<void> {
  for (const file of [source?.identityFile, source?.passphraseFile, source?.file]) {
    if (file !== undefined) await checkMode(file, what, report);
  }
}

async function checkMode(file: string, what: string, report: Report): Promise<void> {
  if (!(await readableByOthers(file))) return;
  report({ subject: SUBJECT, check: 'file-mode', status: 'warn', message: `other users may read the file of ${what}: ${file}`, fix: `Run: chmod 600 ${file}` });
}
