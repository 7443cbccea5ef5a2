import { createHash } from 'node:crypto';
import { ByteReader, ByteWriter } from '../bytes.ts';

/** Bytes of an object's key's hash that stand for it: 48 bits, which a number holds exactly. */
const FINGERPRINT_BYTES = 6;

/**
 * When each object of a vault was last read whole and found intact, in whole seconds since the epoch. Objects are known by
 * the beginning of a hash of their key: five to six bytes an object as stored. docs/format.md, "Reports".
 */
export class Coverage {
  readonly #times = new Map<number, number>();

  /** Objects that were read at least once. */
  get size(): number {
    return this.#times.size;
  }

  /** When the object was last read; `undefined` if it never was. */
  lastRead(key: string): number | undefined {
    return this.#times.get(fingerprint(key));
  }

  /** Notes that an object was read whole and intact. An earlier time than is known changes nothing. */
  add(key: string, seconds: number): void {
    this.#note(fingerprint(key), seconds);
  }

  /** Forgets an object: it was found damaged. */
  forget(key: string): void {
    this.#times.delete(fingerprint(key));
  }

  /**
   * Takes in what another one knows; of two times for an object the later one stays. Times after `latest` are left out: a
   * clock that ran ahead must not keep an object from being read again.
   */
  merge(other: Coverage, latest = Number.POSITIVE_INFINITY): void {
    for (const [object, seconds] of other.#times) if (seconds <= latest) this.#note(object, seconds);
  }

  /** What is known of these objects alone, so that what is gone from a vault is not remembered for ever. */
  only(keys: Iterable<string>): Coverage {
    const kept = new Coverage();
    for (const key of keys) {
      const object = fingerprint(key);
      const seconds = this.#times.get(object);
      if (seconds !== undefined) kept.#note(object, seconds);
    }
    return kept;
  }

  encode(): Buffer {
    const groups = new Map<number, number[]>();
    for (const [object, seconds] of this.#times) {
      const group = groups.get(seconds);
      if (group === undefined) groups.set(seconds, [object]);
      else group.push(object);
    }
    const out = new ByteWriter();
    out.varint(groups.size);
    let before = 0;
    for (const [seconds, objects] of [...groups].sort(([a], [b]) => a - b)) {
      out.varint(seconds - before);
      before = seconds;
      out.varint(objects.length);
      let last = -1;
      for (const object of Float64Array.from(objects).sort()) {
        out.varint(object - last - 1);
        last = object;
      }
    }
    return out.finish();
  }

  /** Throws `LB_REPO_DAMAGED` unless the bytes are just what `encode` gives. */
  static decode(bytes: Uint8Array): Coverage {
    const coverage = new Coverage();
    const reader = new ByteReader(bytes, 'The coverage');
    let seconds = 0;
    for (let groups = reader.count(3), first = true; groups > 0; groups--, first = false) {
      const later = reader.varint();
      if (later === 0 && !first) throw reader.damaged('has a time twice');
      seconds += later;
      const count = reader.count(1);
      if (count === 0) throw reader.damaged('has a time without objects');
      let object = -1;
      for (let left = count; left > 0; left--) {
        object += reader.varint() + 1;
        if (object >= 2 ** (8 * FINGERPRINT_BYTES)) throw reader.damaged('has an object that cannot be');
        if (coverage.#times.has(object)) throw reader.damaged('has an object twice');
        coverage.#times.set(object, seconds);
      }
      if (!Number.isSafeInteger(seconds)) throw reader.damaged('has a time that is too large');
    }
    reader.end();
    return coverage;
  }

  #note(object: number, seconds: number): void {
    const known = this.#times.get(object);
    if (known === undefined || known < seconds) this.#times.set(object, seconds);
  }
}

function fingerprint(key: string): number {
  return createHash('sha256').update(key).digest().readUIntBE(0, FINGERPRINT_BYTES);
}
