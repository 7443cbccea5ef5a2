import { z } from 'zod';
import { loadOpenersIfAny } from '../access/key-files.ts';
import { unlockWith } from '../access/repository.ts';
import { chosenVaults, closeVaults, openVaults } from '../access/vaults.ts';
import { jobSchema } from './job.ts';
import type { Job } from './job.ts';
import type { WorkSurroundings } from './surroundings.ts';

const contentSchema = z.object({ job: jobSchema });

/** Restores that the vaults say were begun, and did not end. None where there is no read key: whoever has none did not begin any. */
export async function unendedRestores(surroundings: WorkSurroundings): Promise<readonly Job[]> {
  const openers = await loadOpenersIfAny(surroundings, {}, 'read');
  if (openers.length === 0) return [];
  const vaults = await openVaults(surroundings, await chosenVaults(surroundings, {}));
  try {
    const { unendedJobs } = await import('../repository/index.ts');
    const keys = await unlockWith(surroundings, vaults, openers, 'read');
    const found = await unendedJobs(vaults, keys, { signal: surroundings.signal, onWarning: surroundings.warn });
    return found.flatMap(({ content }) => {
      const parsed = contentSchema.safeParse(content);
      return parsed.success ? [parsed.data.job] : [];
    });
  } finally {
    await closeVaults(vaults);
  }
}
