import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedArtifact } from '../../test/testbed/cache.ts';
import { TestbedError } from '../../test/testbed/errors.ts';
import { run } from '../../test/testbed/run.ts';

/** Path of restic's binary, from the Debian package that this system's sources offer, when it is not in the cache. Throws what was missing. */
export async function findRestic(): Promise<string> {
  const policy = await run('apt-cache', ['policy', 'restic']).catch((cause: unknown) => {
    throw new TestbedError('restic is taken from Debian, and this system has no apt.', { cause });
  });
  const version = /Candidate: (\S+)/.exec(policy)?.[1] ?? '(none)';
  if (version === '(none)') throw new TestbedError('The sources of apt do not offer restic.', { hint: 'Run `apt-get update`.' });
  const folder = await cachedArtifact({
    name: 'restic',
    key: [version, process.platform, process.arch],
    build: async (dir, report) => {
      report('downloading', version);
      await run('apt-get', ['download', `restic=${version}`], { cwd: dir });
      const [deb = ''] = (await readdir(dir)).filter((name) => name.endsWith('.deb'));
      await run('dpkg-deb', ['--extract', join(dir, deb), dir]);
    },
  });
  return join(folder, 'usr/bin/restic');
}
