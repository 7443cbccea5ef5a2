/** Something that was put into an object store. */
export interface CreatedObject {
  readonly store: 's3' | 'gcs' | 'azure';
  /** The bucket, or the container. */
  readonly bucket: string;
  /** Azure: the storage account. */
  readonly account?: string;
  readonly key: string;
}

/** A request, whatever carried it. Names of headers are in lower case. */
export interface HttpDetail {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Where it comes from, as far as that is known. */
  readonly address: string;
}

interface Of<T extends string, D> {
  readonly trigger: T;
  /** What the event calls itself: the same when it is delivered again. */
  readonly id: string;
  /** When it happened, or when it was due: ms since 1970. */
  readonly at: number;
  /** The trace that it is a part of, as the event says; not checked. */
  readonly traceparent?: string;
  readonly detail: D;
}

/** A time has come. `plan` is absent for what is of all plans, or when there is only one it can mean. */
export type ScheduleTrigger = Of<'schedule', { readonly plan?: string }>;
/** Objects appeared in a store. */
export type ObjectsTrigger = Of<'objects', { readonly objects: readonly CreatedObject[] }>;
/** Somebody asks. */
export type HttpTrigger = Of<'http', HttpDetail>;
/** There may be work, for whoever has time until `deadline`, ms since 1970. */
export type WorkTrigger = Of<'work', { readonly deadline: number }>;

/** An event, as every platform's is written down here. */
export type Trigger = ScheduleTrigger | ObjectsTrigger | HttpTrigger | WorkTrigger;
