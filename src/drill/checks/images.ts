import { textAt } from '../../adapt/json.ts';
import type { ReferenceCheck } from './check.ts';
import { containersOf, ownPodSpecOf, POD_TYPES } from './pods.ts';

/** Source: github.com/distribution/reference, regexp.go. */
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])(?::\d+)?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}$/;
const LONGEST_NAME = 255;

/** What an image is called by, and how exactly; `undefined` for what no runtime could understand. */
export function readImage(image: string): { readonly tag: string; readonly digest: string } | undefined {
  const [named = '', digest = '', ...more] = image.split('@');
  if (more.length > 0 || (image.includes('@') && !DIGEST.test(digest))) return undefined;
  const colon = named.lastIndexOf(':');
  const tagged = colon > named.lastIndexOf('/');
  const tag = tagged ? named.slice(colon + 1) : '';
  const name = tagged ? named.slice(0, colon) : named;
  if ((tagged && !TAG.test(tag)) || name.length > LONGEST_NAME) return undefined;
  const parts = name.split('/');
  const [first = ''] = parts;
  const hasHost = parts.length > 1 && (/[.:A-Z[]/.test(first) || first === 'localhost');
  if (hasHost && !HOST.test(first)) return undefined;
  return (hasHost ? parts.slice(1) : parts).every((part) => COMPONENT.test(part)) ? { tag, digest } : undefined;
}

export const imagesCheck: ReferenceCheck = {
  id: 'images',
  title: 'Every container names an image that a runtime understands',
  types: POD_TYPES,
  needs: [],
  look({ object, label }, _inventory, found) {
    const spec = ownPodSpecOf(object);
    if (spec === undefined) return;
    for (const container of containersOf(spec)) {
      found.looked();
      const image = textAt(container, 'image');
      const name = textAt(container, 'name');
      const read = readImage(image);
      if (read === undefined) found.fail(label, `container ${name} has the image ${JSON.stringify(image)}, which is no image’s name`);
      else if (read.digest === '' && (read.tag === '' || read.tag === 'latest')) found.note(label, `container ${name} has the image ${image}, without a version: after a restore another one may run`);
    }
  },
};
