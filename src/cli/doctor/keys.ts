import type { Config } from '../../config/load.ts';
import type { WriteKey } from '../../keys/index.ts';
import type { Context } from '../context.ts';
import { loadOpenersIfAny, loadWriteKey, readableByOthers } from '../key-files.ts';
import type { Opener } from '../key-files.ts';
import { failure } from './finding.ts';
import type { Report } from './finding.ts';

/** The keys that could be read, for trying them on the vaults. */
export interface FoundKeys {
  readonly writeKey: WriteKey | undefined;
  readonly openers: readonly Opener[];
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
    openers = await loadOpenersIfAny(context, {}, ({ message, where }) => {
      missing = true;
      const fix = 'Bring it back, or take `keys.read` out of lifeboat.yaml: a machine that only makes backups should not have it.';
      report({ subject: SUBJECT, check: 'read-key', status: 'warn', message: `${message}: ${where ?? ''}`, fix });
    });
    if (missing) return { writeKey, openers };
    if (openers.length === 0) {
      report({ subject: SUBJECT, check: 'read-key', status: 'ok', message: 'no key that opens the repository is configured: right for a machine that only makes backups' });
    }
    for (const file of [config.readKey?.identityFile, config.readKey?.passphraseFile]) {
      if (file !== undefined) await checkMode(file, 'the key that opens the repository', report);
    }
  } catch (error) {
    report(failure(SUBJECT, 'read-key', error));
  }
  return { writeKey, openers };
}

async function checkMode(file: string, what: string, report: Report): Promise<void> {
  if (!(await readableByOthers(file))) return;
  report({ subject: SUBJECT, check: 'file-mode', status: 'warn', message: `other users may read the file of ${what}: ${file}`, fix: `Run: chmod 600 ${file}` });
}
