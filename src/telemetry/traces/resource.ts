import type { Attributes } from '@opentelemetry/api';
import type { TracerProviderOptions } from '@opentelemetry/sdk-trace';

type Resource = NonNullable<TracerProviderOptions['resource']>;

/** Who makes the traces: `OTEL_SERVICE_NAME` (else `lifeboat`) and `OTEL_RESOURCE_ATTRIBUTES`. */
export function resourceOf(env: NodeJS.ProcessEnv, version: string | undefined): Resource {
  const given = Object.fromEntries(
    (env['OTEL_RESOURCE_ATTRIBUTES'] ?? '').split(',').flatMap((pair) => {
      const at = pair.indexOf('=');
      return at < 1 ? [] : [[pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())]];
    }),
  );
  const name = env['OTEL_SERVICE_NAME'] ?? '';
  return fixed({
    'service.name': 'lifeboat',
    ...(version !== undefined && { 'service.version': version }),
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    ...given,
    ...(name !== '' && { 'service.name': name }),
  });
}

function fixed(attributes: Attributes): Resource {
  return {
    attributes,
    asyncAttributesPending: false,
    merge: (other) => fixed({ ...attributes, ...other?.attributes }),
    getRawAttributes: () => Object.entries(attributes),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
