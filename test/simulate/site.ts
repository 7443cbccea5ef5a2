import { createHash } from 'node:crypto';
import { LifeboatError } from '../../src/core/errors.ts';
import { streamKey } from '../../src/pipeline/manifest.ts';
import type { CutSink } from '../../src/site/cut.ts';
import type { CutSummary, ResourceType } from '../../src/site/types.ts';
import type { Random } from '../survival/random.ts';
import type { Machine } from './machine/machine.ts';

/** What a site held: objects by type. */
export type Contents = ReadonlyMap<string, readonly Buffer[]>;

const TYPES: readonly ResourceType[] = [
  { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap', namespaced: true },
  { group: '', version: 'v1', resource: 'secrets', kind: 'Secret', namespaced: true },
  { group: 'apps', version: 'v1', resource: 'deployments', kind: 'Deployment', namespaced: true },
  { group: 'example.com', version: 'v1', resource: 'widgets', kind: 'Widget', namespaced: false },
];

/** Objects that change from one backup to the next: so many of ten. */
const CHANGE = 0.2;
/** What makes a backup of several packs: objects of so many bytes that cannot be compressed. */
const BULKY_BYTES = 250_000;

/** A made-up site, whose objects come and go and change. */
export class SimulatedSite {
  readonly name: string;
  readonly #random: Random;
  readonly #objects = new Map<string, Buffer[]>();
  /** What it held at each revision that was cut. */
  readonly revisions = new Map<string, Contents>();
  #revision = 0;
  /** It answers to the end. */
  reliable = false;

  /** `bulky`: so many large objects. */
  constructor(name: string, random: Random, bulky: number) {
    this.name = name;
    this.#random = random;
    for (const type of TYPES) this.#objects.set(streamKey(type), Array.from({ length: Math.floor(random.next() * 40) }, () => this.#object()));
    this.#objects.get('/secrets')?.push(...Array.from({ length: bulky }, (_, i) => noise(`${random.seed} ${name} ${i}`, BULKY_BYTES)));
  }

  /** Some time goes by. */
  live(): void {
    for (const objects of this.#objects.values()) {
      for (const i of objects.keys()) if (this.#random.next() < CHANGE) objects[i] = this.#object();
      if (this.#random.next() < 0.5) objects.push(this.#object());
      if (this.#random.next() < 0.2) objects.shift();
    }
  }

  /** As `cutSite`. Now and then it starts again, or the site does not answer any more. */
  async cut(coming: Promise<CutSink>, machine: Machine): Promise<CutSummary> {
    const contents = new Map([...this.#objects].map(([key, objects]) => [key, [...objects]]));
    const revision = `${++this.#revision}`;
    this.revisions.set(revision, contents);
    const at = new Date(machine.now()).toISOString();
    await machine.sleep(this.#random.next() * 5_000);
    const sink = await coming;
    if (this.#random.next() < 0.1) {
      await this.#write(sink, contents, machine, 3);
      sink.restart();
    }
    if (!this.reliable && this.#random.next() < 0.05) {
      await this.#write(sink, contents, machine, 3);
      throw new LifeboatError('LB_SITE_UNREACHABLE', 'planned: the site does not answer any more');
    }
    await this.#write(sink, contents, machine, Infinity);
    const types = TYPES.map((type) => {
      const objects = contents.get(streamKey(type)) ?? [];
      return { ...type, count: objects.length, bytes: objects.reduce((sum, { length }) => sum + length, 0), fidelity: 'exact' as const };
    });
    return { revision, at, kubernetesVersion: 'v1.36.0', clusterUid: this.name, selection: {}, types };
  }

  async #write(sink: CutSink, contents: Contents, machine: Machine, most: number): Promise<void> {
    const works = TYPES.map(async (type) => {
      const objects = contents.get(streamKey(type)) ?? [];
      if (objects.length === 0) return;
      await machine.sleep(this.#random.next() * 1_000);
      const taking = sink.type(type);
      for (const object of objects.slice(0, most)) await taking.object(object);
      await taking.end();
    });
    await Promise.all(works);
  }

  #object(): Buffer {
    const number = Math.floor(this.#random.next() * 2 ** 31);
    const length = 100 + Math.floor(this.#random.next() ** 3 * 4000);
    const value = noise(`${number}`, length >> 2).toString('base64').repeat(2);
    return Buffer.from(`{"metadata":{"name":"object-${number}"},"data":{"value":"${value}"}}`);
  }
}

function noise(label: string, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(label).digest();
}
