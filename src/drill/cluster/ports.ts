import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { LifeboatError } from '../../core/errors.ts';
import { isSystemError } from '../../core/system-error.ts';

/**
 * Where ports are looked for: below the range (32768 and up on Linux, 49152 on others) from which outgoing
 * connections get theirs, so that a server that is down for a moment finds its port free again.
 */
const FIRST_PORT = 16_384;
const AFTER_LAST_PORT = 32_768;
const ATTEMPTS = 200;

/**
 * Different TCP ports on which nobody listens on loopback now. Another process may take one before it is used:
 * whoever starts a server on one must be ready to try again with another.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count; attempt += 1) {
    if (attempt === ATTEMPTS) throw new LifeboatError('LB_DRILL_CLUSTER', `No ${count} free ports were found in ${ATTEMPTS} attempts`);
    const port = randomInt(FIRST_PORT, AFTER_LAST_PORT);
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (isSystemError(error, 'EADDRINUSE') || isSystemError(error, 'EACCES')) resolve(false);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
