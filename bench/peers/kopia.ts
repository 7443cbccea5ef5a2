import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedArtifact } from '../../test/testbed/cache.ts';
import { run } from '../../test/testbed/run.ts';
import { goPlatform } from '../../test/testbed/tools.ts';

const MODULE = fileURLToPath(new URL('kopia', import.meta.url));
const SOURCES = ['go.mod', 'go.sum'] as const;
const FLAGS = ['-mod=readonly', '-buildvcs=false', '-trimpath'] as const;
const ENV = { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' } as const;

/** Path of kopia's binary, built from the Go module proxy when it is not in the cache. Throws what was missing. */
export async function findKopia(): Promise<string> {
  const sources = await Promise.all(SOURCES.map((name) => readFile(join(MODULE, name), 'utf8')));
  const folder = await cachedArtifact({
    name: 'kopia',
    key: [...sources, ...FLAGS, JSON.stringify(ENV), ...(await goPlatform(MODULE))],
    build: async (dir, report) => {
      report('building');
      await run('go', ['build', ...FLAGS, '-o', join(dir, 'kopia'), 'github.com/kopia/kopia'], { cwd: MODULE, env: ENV });
    },
  });
  return join(folder, 'kopia');
}
