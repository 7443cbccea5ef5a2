import type { CutSink } from '../../src/site/cut.ts';
import { typeName } from '../../src/site/types.ts';

/** An object as far as tests look into it. */
export interface Gathered {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly apiVersion?: string;
}

/** A sink that keeps everything, by type name, and checks that it is used as its contract says. */
export class GatheringSink implements CutSink {
  readonly objects = new Map<string, Gathered[]>();
  restarts = 0;
  /** Called after each object; may be waited for. */
  onObject: ((count: number) => Promise<void> | void) | undefined;
  #count = 0;

  type: CutSink['type'] = (type) => {
    const name = typeName(type);
    const taken: Gathered[] = [];
    this.objects.delete(name);
    let busy = false;
    return {
      object: (raw) => {
        if (busy) throw new Error(`${name}: an object was given before the one before it was taken`);
        taken.push(JSON.parse(Buffer.from(raw).toString('utf8')) as Gathered);
        this.#count += 1;
        const waiting = this.onObject?.(this.#count);
        if (waiting === undefined) return undefined;
        busy = true;
        return waiting.finally(() => {
          busy = false;
        });
      },
      end: () => {
        this.objects.set(name, taken);
      },
    };
  };

  restart = (): void => {
    this.restarts += 1;
    this.objects.clear();
  };

  names(type: string): string[] {
    return (this.objects.get(type) ?? []).map(({ metadata }) => metadata.name);
  }
}
