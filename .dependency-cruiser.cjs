// Which room may import which (docs/concepts.md, "The rooms"). Each room lists what lies below it;
// anything else is an error. test/rooms.test.ts plants violations and sees them found.
const BELOW = {
  core: [],
  config: ['core', 'vault'],
  vault: ['core'],
  keys: ['core', 'vault'],
  repository: ['core', 'vault', 'keys'],
  site: ['core'],
  adapt: ['core', 'site'],
  placement: ['core', 'config', 'vault'],
  pipeline: ['core', 'config', 'vault', 'keys', 'repository', 'site', 'adapt', 'placement'],
  access: ['core', 'config', 'vault', 'keys', 'repository', 'site', 'pipeline'],
  telemetry: ['core'],
  drill: ['core', 'config', 'vault', 'keys', 'repository', 'site', 'adapt', 'pipeline', 'access'],
  queue: ['core', 'telemetry'],
  jobs: ['core', 'config', 'vault', 'keys', 'repository', 'site', 'adapt', 'placement', 'pipeline', 'access', 'telemetry', 'drill', 'queue'],
  server: ['core', 'config', 'vault', 'keys', 'repository', 'site', 'adapt', 'placement', 'pipeline', 'access', 'telemetry', 'drill', 'queue', 'jobs'],
  functions: ['core', 'config', 'vault', 'repository', 'access', 'telemetry', 'queue', 'jobs', 'server'],
  cli: ['core', 'config', 'vault', 'keys', 'repository', 'site', 'adapt', 'placement', 'pipeline', 'access', 'telemetry', 'drill', 'queue', 'jobs', 'server'],
};

const rooms = Object.entries(BELOW).map(([room, below]) => ({
  name: `room-${room}`,
  comment: `src/${room} may import only: ${below.join(', ') || 'nothing else in src'}`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: `^src/(${[room, ...below].join('|')})/` },
}));

const only = (name, packages, allowed) => ({
  name: `sdk-${name}`,
  comment: `only ${allowed} may import ${packages}`,
  severity: 'error',
  from: { path: '^src/', pathNot: allowed },
  to: { path: `node_modules/(${packages})/` },
});

module.exports = {
  forbidden: [
    ...rooms,
    { name: 'known-room', comment: 'a new folder in src needs its place in this file', severity: 'error', from: { path: '^src/[^/]+/', pathNot: `^src/(${Object.keys(BELOW).join('|')})/` }, to: {} },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'src-not-test', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|bench)/' } },
    only('aws', '@aws-sdk|@smithy', '^src/(vault/s3|keys/kms)/'),
    only('google', '@google-cloud|google-auth-library', '^src/(vault/gcs|keys/kms|functions/adapters)/'),
    only('azure', '@azure', '^src/(vault/azure|keys/kms|functions/adapters)/'),
    only('kubernetes', '@kubernetes', '^src/site/'),
    only('undici', 'undici', '^src/site/'),
    only('hpke', 'hpke', '^src/(repository|keys)/'),
    only('age', 'age-encryption', '^src/keys/'),
    only('queue', 'bullmq|ioredis|pg|@electric-sql', '^src/queue/'),
    only('hono', 'hono|@hono', '^src/server/'),
    only('jose', 'jose', '^src/server/'),
    only('queue', 'bullmq|ioredis|pg|@electric-sql', '^src/queue/'),
    only('telemetry', 'pino|prom-client|@opentelemetry', '^src/telemetry/'),
    only('commander', 'commander|picocolors', '^src/cli/'),
    {
      name: 'sdk-lazily',
      comment: 'SDKs are loaded with `await import()` when first used, so that --help is quick and a function carries only what it needs',
      severity: 'error',
      // The adapters take only the types of the frameworks that they are for; test/functions/bundles.test.ts looks at what is loaded.
      from: { path: '^src/', pathNot: '^src/functions/adapters/' },
      to: { path: 'node_modules/(@aws-sdk|@smithy|@google-cloud|google-auth-library|@azure|@kubernetes)/', dependencyTypesNot: ['dynamic-import', 'type-only'] },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
