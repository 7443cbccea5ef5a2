import { describe, expect, it } from 'vitest';
import { readImage } from '../../src/drill/checks/images.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

describe('the name of an image', () => {
  it.each([
    ['nginx', '', ''],
    ['nginx:1.27', '1.27', ''],
    ['library/nginx:1.27', '1.27', ''],
    ['registry.example.com/a/b-c__d/e.f:v1_2', 'v1_2', ''],
    ['localhost:5000/web', '', ''],
    ['localhost/web:1', '1', ''],
    ['[2001:db8::1]:5000/web:1', '1', ''],
    ['Registry.Example.com:443/web:1', '1', ''],
    [`web@${DIGEST}`, '', DIGEST],
    [`registry.example.com/web:1@${DIGEST}`, '1', DIGEST],
  ])('%s is understood', (image, tag, digest) => {
    expect(readImage(image)).toEqual({ tag, digest });
  });

  it.each(['', ' ', 'Web', 'a//b', 'a/b/', '/a', 'web:', 'web:a b', `web:${'x'.repeat(129)}`, 'web@sha256:short', `web@${DIGEST}@${DIGEST}`, 'web@', 'a..b', 'http://example.com/web', 'registry.example.com/Web:1', 'registry_.example.com/web', `a/${'b'.repeat(300)}`])('%j is not', (image) => {
    expect(readImage(image)).toBeUndefined();
  });
});
