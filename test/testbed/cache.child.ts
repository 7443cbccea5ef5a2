/**
 * Builds one artifact in a process of its own: `cache.child.ts FOLDER SECONDS`.
 * Prints `begun` if it is the builder, then the artifact's folder.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { cachedArtifact } from './cache.ts';

const [folder = '', seconds = ''] = process.argv.slice(2);
const built = await cachedArtifact(
  {
    name: 'slow',
    key: ['same'],
    build: async () => {
      console.log('begun');
      await sleep(Number(seconds) * 1000);
    },
  },
  { folder, onProgress: () => undefined },
);
console.log(built);
