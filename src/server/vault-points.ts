import { withReader } from '../access/repository.ts';
import type { Surroundings } from '../access/surroundings.ts';
import type { Clock } from '../core/clock.ts';
import { copiesOf } from '../placement/copies.ts';
import type { PointListing } from '../repository/api.ts';
import type { PointDocument } from './documents.ts';
import type { PointsSource } from './parts.ts';

/** How old what is answered may be, ms: every page of a console asks, and each time all vaults would be listed. */
const FRESH = 15_000;

/** Looks points up in the vaults of their plan. Needs no key. Those who ask at the same time wait for one listing. */
export class VaultPoints implements PointsSource {
  readonly #surroundings: Surroundings;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #listings = new Map<string, { readonly at: number; readonly points: Promise<readonly PointDocument[]> }>();

  constructor(surroundings: Surroundings, clock: Pick<Clock, 'now'>) {
    this.#surroundings = surroundings;
    this.#clock = clock;
  }

  ofPlan(plan: string): Promise<readonly PointDocument[]> {
    const known = this.#listings.get(plan);
    const now = this.#clock.now();
    if (known !== undefined && now - known.at < FRESH) return known.points;
    const points = this.#list(plan);
    this.#listings.set(plan, { at: now, points });
    points.catch(() => this.#listings.delete(plan));
    return points;
  }

  async #list(name: string): Promise<readonly PointDocument[]> {
    const { plans } = await this.#surroundings.config();
    const plan = plans.get(name);
    if (plan === undefined) return [];
    const { site, vaults } = plan;
    const found = await withReader(this.#surroundings, { vault: vaults }, (reader) => reader.listPoints({ site, copies: true, signal: this.#surroundings.signal }));
    return found.map((point) => pointDocument(point, copiesOf(plan))).toReversed();
  }
}

/** A point as the API shows it. Safe is what is complete in as many vaults as the plan says, and not disputed. */
function pointDocument({ id, site, header, copies = [], disputed, problem }: PointListing, needed: number): PointDocument {
  const whole = copies.flatMap(({ state, vault }) => (state === 'complete' ? [vault] : []));
  return {
    id,
    site,
    ...(header !== undefined && { at: header.at, committedAt: header.committedAt, complete: header.complete }),
    safe: header !== undefined && disputed === undefined && whole.length >= needed,
    vaults: whole,
    ...(problem !== undefined && { problem }),
  };
}
