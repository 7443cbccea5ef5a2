import { describe, expect, it } from 'vitest';
import { demoConfig, LOST_CLOUD, NEW_CLOUD, SITE } from '../../demo/plan.ts';
import { placedPlan } from '../../src/placement/from-config.ts';
import { brokenPromise } from '../../src/placement/refuse.ts';
import { assess } from '../../src/placement/survival.ts';

const PLACES = {
  s3: { endpoint: 'http://127.0.0.1:1', bucket: 'bucket' },
  gcs: { endpoint: 'http://127.0.0.1:2', bucket: 'bucket' },
  azure: { endpoint: 'http://127.0.0.1:3/account', account: 'account', container: 'container' },
  kms: { endpoint: 'http://127.0.0.1:4', key: 'aws-kms:arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab' },
};

describe('the plan of the demo', () => {
  it('is refused while only the key service of the site’s own cloud opens it', () => {
    const { config, plan } = demoConfig(PLACES, ['aws-kms']);
    expect(brokenPromise(config, SITE, plan)?.message).toContain(`losing cloud ${LOST_CLOUD} takes all that opens the repository: aws-kms`);
  });

  it('keeps its promise with an identity outside: nothing is left to chance or unknown', () => {
    const { config, plan } = demoConfig(PLACES, ['aws-kms', 'age']);
    const { topology, mistyped } = placedPlan(config, plan);
    expect(mistyped).toEqual([]);
    expect(assess(topology)).toMatchObject({ holds: true, strongest: 'cloud' });
    expect(topology.vaults.map(({ place }) => (place === 'outside' ? undefined : place.cloud))).toEqual([LOST_CLOUD, 'gcp', NEW_CLOUD]);
  });
});
