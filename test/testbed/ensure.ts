import { findAzurite } from './azure/azurite.ts';
import type { CacheOptions } from './cache.ts';
import { findFakeGcs } from './gcs/fake-gcs-server.ts';
import { COMPONENTS } from './kubernetes/build.ts';
import { findMoto } from './kms/moto.ts';
import { findOpenBao } from './kms/openbao.ts';
import { findComponents } from './kubernetes/components.ts';
import { TestbedError } from './errors.ts';
import { findPostgres } from './queue/postgres.ts';
import { findValkey } from './queue/valkey.ts';
import { findPrometheus } from './prometheus.ts';
import { findSeaweedfs } from './s3/seaweedfs.ts';
import { findVersitygw } from './s3/versitygw.ts';

/**
 * Builds or installs whatever the tests start and is not in the cache yet, one after another, showing how it goes.
 * Takes minutes the first time and nothing after. Throws a `TestbedError` that says what to install when something
 * is missing.
 */
export async function ensureTestbed(options: CacheOptions = {}): Promise<void> {
  await findSeaweedfs(options);
  await findVersitygw(options);
  await findAzurite(options);
  await findFakeGcs(options);
  await findOpenBao(options);
  await findMoto(options);
  await findValkey(options);
  // Not every system has it or can get it. The tests that need it are skipped then, and say so.
  await findPostgres(options).catch((error: unknown) => {
    if (!(error instanceof TestbedError)) throw error;
  });
  await findPrometheus(options);
  await findComponents(COMPONENTS, options);
}
