import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeHtml, html } from '../../src/drill/page/html.ts';
import { drillPage } from '../../src/drill/page/page.ts';
import type { PageParts } from '../../src/drill/page/page.ts';
import { measureRpo } from '../../src/drill/measures/rpo.ts';
import { drillReportSchema } from '../../src/drill/report.ts';
import type { DrillReport } from '../../src/drill/report.ts';

const AT = '2026-03-14T02:15:00.000Z';
const START = Date.parse(AT);

/** A report in which every text that comes from elsewhere is `text`. */
function reportOf(text: string, rest: Partial<DrillReport> = {}): DrillReport {
  const finding = { object: text, message: text, failure: true };
  return {
    repository: 'ab'.repeat(16),
    plan: text,
    site: text,
    startedAt: AT,
    at: AT,
    ok: false,
    point: { id: text, at: AT, committedAt: AT, chosen: 'newest', safe: true, complete: true, vaults: [text], copies: 2 },
    cluster: { kind: 'site', name: text, kubernetesVersion: text, notRun: [text], removed: true },
    restore: { plan: text, outcomes: { created: 3, updated: 0, unchanged: 0, kept: 0, dropped: 1, conflict: 0, failed: 0, unsupported: 0 }, rules: { [text]: 2, 'drill-suspended': 1 } },
    failure: { phase: text, code: 'LB_REPO_DAMAGED', message: text },
    checks: [
      { id: 'images', title: text, outcome: 'failed', checked: 2, failures: 300, findings: [finding, { ...finding, failure: false }], output: text, seconds: 1 },
      { id: 'routes', title: 'Routes', outcome: 'skipped', checked: 0, failures: 0, findings: [], reason: text, seconds: 0 },
      { id: 'accepted', title: 'Accepted', outcome: 'passed', checked: 881, failures: 0, findings: [], seconds: 0.2 },
    ],
    notChecked: [text],
    rto: { seconds: 9, objectiveSeconds: 5, verdict: 'missed', phases: [{ name: 'start', seconds: 4 }, { name: 'apply', seconds: 3, parts: [{ name: text, seconds: 3, objects: 7 }] }, { name: text, seconds: 2 }] },
    rpo: measureRpo([{ at: START - 7_200_000, committedAt: START - 7_190_000 }, { at: START - 600_000, committedAt: START - 590_000, estimated: true }], START - 10_000_000, START, 3_600_000),
    warnings: [{ kind: 'k', message: text, where: text }],
    ...rest,
  };
}

function partsOf(text: string, rest: Partial<DrillReport> = {}): PageParts {
  const report = reportOf(text, rest);
  return { id: '20260314T021500Z-' + 'cd'.repeat(32), report, signed: Buffer.from(`${JSON.stringify(report)}\n{"signature":"${'ef'.repeat(64)}"}\n`), vaults: [text], reportPublicKey: new Uint8Array(32) };
}

/** Every tag with its attributes' names, in order: what a browser would make of the page. */
function skeleton(page: string): string[] {
  return [...page.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replaceAll(/"[^"]*"/g, '""'));
}

const decoded = (page: string): string => page.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&');

describe('the page of a drill', () => {
  it('is what it is whatever the texts in it are', () => {
    const plain = skeleton(drillPage(partsOf('plain')));
    const nasty = fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'grapheme', minLength: 1 }), fc.constantFrom('<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' onload='x", '</pre></style><b>', '<!--', ']]>', '&lt;b&gt;', '${x}', '__proto__', '\u202egnp.exe'));
    fc.assert(
      fc.property(nasty, (text) => {
        // A rule is a key: those that are known have another reason beside them, and an order of their own.
        expect(skeleton(drillPage(partsOf(text)))).toEqual(plain);
      }),
      { numRuns: 300 },
    );
  });

  it('shows every text of the report as it is', () => {
    const text = `<b>Tom & "Jerry's"</b>`;
    const page = drillPage(partsOf(text));
    expect(page).not.toContain(text);
    expect(decoded(page).split(text).length).toBeGreaterThan(15);
  });

  it('shows what cannot be seen by its number', () => {
    expect(escapeHtml('a\u202eb\u0000c\ud800')).toBe('a\\u202eb\\u0000c\ufffd');
    expect(html`<p title="${'"'}">${['<', html`<b>${1}</b>`]}${undefined}${false}</p>`.text).toBe('<p title="&quot;">&lt;<b>1</b></p>');
  });

  it('needs nothing from anywhere, and runs nothing', () => {
    const page = drillPage(partsOf('https://example.com/a.png'));
    const tags = skeleton(page).map((tag) => /^<\/?([\w!]+)/.exec(tag)?.[1] ?? tag);
    for (const tag of ['script', 'link', 'img', 'iframe', 'object', 'embed', 'form', 'use', 'image', 'base']) expect(tags).not.toContain(tag);
    const attributes = [...page.matchAll(/\s(src|href|srcset|style|on\w+|action|data|poster|xlink:href)="([^"]{0,30})/g)].map(([, name, value]) => `${name} ${value ?? ''}`);
    expect(attributes).toEqual(['href data:application/octet-stream;']);
    expect(/<style>(.*)<\/style>/s.exec(page)?.[1]).not.toMatch(/url\(|@import|expression/);
    expect(page).toContain(`content="default-src &#39;none&#39;`.replaceAll('&#39;', "'"));
  });

  it('has every part, also for those who do not see it', () => {
    const page = drillPage(partsOf('x'));
    const headings = [...page.matchAll(/<h2>([^<]*)<\/h2>/g)].map(([, title]) => title);
    expect(headings).toEqual(['Objectives', 'Checks', 'What this drill does not show', 'What was restored', 'Recovery time', 'Recovery point', 'Intended differences', 'Warnings', 'Signature']);
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    for (const part of ['prefers-color-scheme: dark', '@media print', 'role="img" aria-labelledby="rto-title rto-text"', 'role="img" aria-labelledby="rpo-title rpo-text"', '<caption>', 'scope="col"', '✗ failed', '✓ passed', '○ skipped', '✗ missed', 'and 299 more failures', 'A job of a drill would send']) expect(page).toContain(part);
    const ids = [...page.matchAll(/\bid="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    // Every cell of a header says what it heads.
    expect(page.match(/<th(?=[ >])(?![^>]*scope=)/)).toBeNull();
  });

  it('carries the signed report byte for byte, with its digest, its signature and the key', () => {
    const parts = partsOf('a \u202e b');
    const page = drillPage(parts);
    const saved = /href="data:application\/octet-stream;base64,([^"]*)"/.exec(page)?.[1] ?? '';
    expect(Buffer.from(saved, 'base64').equals(parts.signed)).toBe(true);
    for (const proof of ['ef'.repeat(64), '00'.repeat(32), parts.id]) expect(page).toContain(proof);
  });

  it('tells a drill that passed, and one that never got to its checks', () => {
    const { failure: _, ...rest } = reportOf('x');
    const passed = drillPage({ ...partsOf('x'), report: { ...rest, ok: true, checks: [] } });
    expect(passed).toContain('✓ Passed');
    expect(passed).toContain(': passed, 2026-03-14</title>');
    const ended = drillPage(partsOf('x', { checks: [] }));
    expect(ended).toContain('No check was reached.');
    expect(ended).toContain('✗ Failed');
  });
});

describe('a report', () => {
  it('is read back as it was', () => {
    expect(drillReportSchema.parse(JSON.parse(JSON.stringify(reportOf('x'))))).toEqual(reportOf('x'));
  });
});
