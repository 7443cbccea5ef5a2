import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RETRY } from '../../src/vault/backoff.ts';
import { openGcsVault } from '../../src/vault/gcs.ts';
import { startHttpDouble } from '../testbed/http-double.ts';
import type { DoubleAnswer, HttpDouble, RecordedRequest } from '../testbed/http-double.ts';
import { codeOf, digest, failure, inParts, someBytes } from './bytes.ts';
import { gcsSettings } from './gcs-settings.ts';

const UNIT = 256 * 1024;
const QUICK = { ...DEFAULT_RETRY, firstPauseMs: 1, longestPauseMs: 2, attempts: 20 };

/** What happens to one part on its way: how many units of it arrive, and whether the sender is told. */
interface Mishap {
  readonly units: number;
  readonly told: boolean;
}

/** A double of resumable uploads to Google Cloud Storage, by its documentation: what has arrived is kept in units of 256 KiB. */
class Uploads {
  received = Buffer.alloc(0);
  aborted = false;
  stored: Buffer | undefined;
  /** Done to parts that come, in turn. */
  readonly mishaps: Mishap[];
  forgetAfter = Number.POSITIVE_INFINITY;
  #base = '';

  constructor(mishaps: readonly Mishap[] = []) {
    this.mishaps = [...mishaps];
  }

  async start(): Promise<HttpDouble> {
    const double = await startHttpDouble((request) => this.#answer(request));
    this.#base = double.url;
    return double;
  }

  #answer({ method, url, headers, body }: RecordedRequest): DoubleAnswer | undefined {
    if (method === 'POST') return { status: 200, headers: { location: `${this.#base}/session?upload_id=hush` } };
    if (method === 'GET' && !url.pathname.includes('/o/')) return { status: 200, body: JSON.stringify({ name: 'bucket' }) };
    if (method === 'GET') return { status: 404, body: JSON.stringify({ error: { message: 'No such object' } }) };
    if (method === 'DELETE') {
      this.aborted = url.pathname === '/session';
      return { status: 499 };
    }
    if (this.received.length > this.forgetAfter) return { status: 404 };
    const range = /^bytes (\*|([0-9]+)-([0-9]+))\/([0-9]+)$/.exec(headers['content-range'] ?? '');
    if (range === null) return { status: 400 };
    const total = Number(range[4]);
    if (range[1] === '*') return this.#state(total);
    const start = Number(range[2]);
    if (start > this.received.length || Number(range[3]) - start + 1 !== body.length) return { status: 400 };
    const mishap = this.mishaps.shift();
    const arrives = mishap === undefined ? body.length : Math.min(body.length, Math.max(0, Math.floor((start + mishap.units * UNIT) / UNIT) * UNIT - start));
    // What has arrived already is not taken again.
    this.received = Buffer.concat([this.received, body.subarray(this.received.length - start, Math.max(arrives, this.received.length - start))]);
    if (mishap?.told === false) return undefined;
    return this.#state(total);
  }

  #state(total: number): DoubleAnswer {
    if (this.received.length < total) {
      const range = this.received.length === 0 ? {} : { range: `bytes=0-${this.received.length - 1}` };
      return { status: 308, headers: range };
    }
    this.stored = this.received;
    return { status: 200, body: JSON.stringify({ name: 'a', size: String(total), generation: '1' }) };
  }
}

const open = (double: HttpDouble) =>
  openGcsVault({ ...gcsSettings(double, 'bucket'), name: 'double' }, { limits: { partSize: 4 * UNIT }, partRetry: QUICK });

describe('a resumable upload', () => {
  it('stores every byte once, whatever arrives of its parts and however often the sender is not told', async () => {
    const mishap = fc.record({ units: fc.nat(5), told: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(mishap, { maxLength: 12 }), fc.integer({ min: 8 * UNIT + 1, max: 14 * UNIT }), async (mishaps, size) => {
        const uploads = new Uploads(mishaps);
        await using double = await uploads.start();
        const vault = await open(double);
        const bytes = someBytes(size);
        expect(await vault.put('a', inParts(bytes, 100_001))).toBe('created');
        expect(digest(uploads.stored ?? Buffer.alloc(0))).toBe(digest(bytes));
        await vault.close();
      }),
      { numRuns: 40 },
    );
  });

  it('sends only what did not arrive', async () => {
    const uploads = new Uploads([
      { units: 4, told: true },
      { units: 3, told: false },
      { units: 1, told: false },
    ]);
    await using double = await uploads.start();
    const vault = await open(double);
    expect(await vault.put('a', someBytes(10 * UNIT))).toBe('created');
    const ranges = double.requests.filter(({ method }) => method === 'PUT').map(({ headers }) => headers['content-range']);
    const total = 10 * UNIT;
    expect(ranges).toEqual([
      `bytes 0-${4 * UNIT - 1}/${total}`,
      `bytes ${4 * UNIT}-${8 * UNIT - 1}/${total}`,
      `bytes */${total}`,
      `bytes ${7 * UNIT}-${8 * UNIT - 1}/${total}`,
      `bytes */${total}`,
      `bytes ${8 * UNIT}-${10 * UNIT - 1}/${total}`,
    ]);
    await vault.close();
  });

  it('is known to have succeeded when its last answer was lost', async () => {
    const uploads = new Uploads([{ units: 4, told: true }, { units: 4, told: true }, { units: 9, told: false }]);
    await using double = await uploads.start();
    const vault = await open(double);
    expect(await vault.put('a', someBytes(9 * UNIT + 5))).toBe('created');
    expect(digest(uploads.stored ?? Buffer.alloc(0))).toBe(digest(someBytes(9 * UNIT + 5)));
    await vault.close();
  });

  it('ends with its checksum, for Google to compare', async () => {
    await using double = await new Uploads().start();
    const vault = await open(double);
    await vault.put('a', someBytes(9 * UNIT));
    const hashes = double.requests.filter(({ method }) => method === 'PUT').map(({ headers }) => headers['x-goog-hash']);
    expect(hashes).toEqual([undefined, undefined, expect.stringMatching(/^md5=[A-Za-z0-9+/]{22}==$/)]);
    await vault.close();
  });

  it('may be begun anew when Google has forgotten it, and does not show its address', async () => {
    const uploads = new Uploads();
    uploads.forgetAfter = 4 * UNIT;
    await using double = await uploads.start();
    const vault = await open(double);
    const error = await failure(vault.put('a', someBytes(20 * UNIT)));
    expect(codeOf(error)).toBe('LB_VAULT_UNAVAILABLE');
    expect(uploads.aborted).toBe(true);
    expect(uploads.stored).toBeUndefined();
    expect(JSON.stringify([String(error), error])).not.toContain('hush');
    await vault.close();
  });
});
