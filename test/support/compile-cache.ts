import { join } from 'node:path';
import { cacheFolder } from '../testbed/cache.ts';

/** For the environment of processes that tests start: where Node keeps compiled code, so that the next one starts sooner. */
export const compileCache = { NODE_COMPILE_CACHE: join(cacheFolder(), 'compiled') };
