/**
 * To be imported before anything else: puts a simulated machine under everything that is imported after it. While one is
 * in use, all that would differ from run to run comes from it: time, timers, random bytes, and the order in which the
 * thread pool hands back what it made. Without one in use, everything is as Node made it.
 *
 * Sealing draws its random numbers within OpenSSL, where no seed reaches. It is given a ciphertext of seeded bytes
 * instead, and the secret that this ciphertext stands for: ML-KEM opens any (FIPS 203, implicit rejection). Everything
 * else of the sealing, and all of the opening, is as it always is.
 */
import crypto, { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';
import { callbackify } from 'node:util';
import zlib from 'node:zlib';
import type { Random } from '../../survival/random.ts';
import { Timer } from './machine.ts';
import type { Machine } from './machine.ts';

export interface InUse {
  readonly machine: Machine;
  readonly random: Random;
  /** Private half of what is sealed to: the X-Wing seed. */
  readonly sealingKey: Uint8Array;
}

let inUse: InUse | undefined;

/** From now on everything comes from this machine, and these numbers; with `undefined`, from Node again. */
export function runOn(machine: InUse | undefined): void {
  inUse = machine;
}

function fill<T extends NodeJS.ArrayBufferView>(view: T, random: Random): T {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(random.next() * 256);
  return view;
}

/** Puts another function in the place of one of Node's; it gets the one that was there. */
function replace<K extends string>(owner: Partial<Record<K, unknown>>, name: K, make: (real: never) => unknown): void {
  const real = owner[name] as never;
  Object.defineProperty(owner, name, { value: make(real), configurable: true, writable: true });
}

type Any = (...args: unknown[]) => unknown;

replace(Date, 'now', (real: () => number) => () => inUse?.machine.clock() ?? real());
replace(performance, 'now', (real: () => number) => () => inUse?.machine.now() ?? real.call(performance));
replace(Math, 'random', (real: () => number) => () => inUse?.random.next() ?? real());
replace(crypto, 'randomBytes', (real: typeof crypto.randomBytes) => (size: number) => (inUse === undefined ? real(size) : fill(Buffer.alloc(size), inUse.random)));
replace(globalThis.crypto, 'getRandomValues', (real: typeof globalThis.crypto.getRandomValues) => (view: Uint8Array<ArrayBuffer>) =>
  inUse === undefined ? real.call(globalThis.crypto, view) : fill(view, inUse.random),
);

replace(globalThis, 'setTimeout', (real: Any) => (callback: () => void, ms = 0, ...rest: unknown[]) =>
  inUse === undefined ? real(callback, ms, ...rest) : new Timer(inUse.machine, ms, callback),
);
replace(globalThis, 'clearTimeout', (real: Any) => (timer: unknown) => {
  if (timer instanceof Timer) inUse?.machine.clearTimer(timer);
  else real(timer);
});
replace(timersPromises, 'setImmediate', (real: typeof timersPromises.setImmediate) => (value?: unknown) =>
  inUse === undefined ? real(value) : inUse.machine.offload(Promise.resolve(value)),
);

type Coded = (error: Error | null, bytes?: Buffer) => void;
const coder = (atOnce: (bytes: Uint8Array, options: object) => Buffer) => (real: Any) => (bytes: Uint8Array, options: object, done: Coded) => {
  if (inUse === undefined) return real(bytes, options, done);
  const { machine } = inUse;
  callbackify(() => machine.offload(new Promise<Buffer>((resolve) => resolve(atOnce(bytes, options)))))(done);
  return undefined;
};
replace(zlib, 'zstdCompress', coder(zlib.zstdCompressSync));
replace(zlib, 'zstdDecompress', coder(zlib.zstdDecompressSync));

const subtle = globalThis.crypto.subtle as unknown as Record<string, Any>;
const real = new Map<string, Any>();
for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(subtle))) {
  if (typeof subtle[name] !== 'function' || name === 'constructor' || name === 'getPublicKey') continue;
  replace(subtle, name, (method: Any) => {
    real.set(name, method.bind(subtle));
    return (...args: unknown[]) => {
      const made = seeded(name, args) ?? method.apply(subtle, args);
      return inUse === undefined ? made : inUse.machine.offload(made as Promise<unknown>);
    };
  });
}

/** What draws random numbers, made of seeded ones. */
function seeded(name: string, args: unknown[]): Promise<unknown> | undefined {
  if (inUse === undefined) return undefined;
  if (name === 'encapsulateBits') return encapsulate(args[0], inUse);
  if (name === 'generateKey' && (args[0] as { name?: string }).name === 'X25519') return agreementKey(inUse.random);
  return undefined;
}

/** Bytes of an ML-KEM-768 ciphertext, and of the seed of a key. */
const CIPHERTEXT_BYTES = 1088;
const SEED_BYTES = 64;

async function encapsulate(algorithm: unknown, { sealingKey, random }: InUse): Promise<unknown> {
  const ciphertext = fill(new Uint8Array(CIPHERTEXT_BYTES), random);
  const expanded = createHash('shake256', { outputLength: SEED_BYTES + 32 }).update(sealingKey).digest();
  const key = await real.get('importKey')?.('raw-seed', expanded.subarray(0, SEED_BYTES), algorithm, false, ['decapsulateBits']);
  const sharedKey = await real.get('decapsulateBits')?.(algorithm, key, ciphertext);
  return { sharedKey, ciphertext: ciphertext.buffer };
}

async function agreementKey(random: Random): Promise<unknown> {
  const der = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), fill(new Uint8Array(32), random)]);
  const spki = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({ format: 'der', type: 'spki' });
  const [privateKey, publicKey] = await Promise.all([
    real.get('importKey')?.('pkcs8', der, { name: 'X25519' }, true, ['deriveBits']),
    real.get('importKey')?.('spki', spki, { name: 'X25519' }, true, []),
  ]);
  return { privateKey, publicKey };
}

syncBuiltinESMExports();
