import { describe, expect, it } from 'vitest';
import { parseLabelSelector } from '../../src/core/label-selector.ts';
import { compileSelection } from '../../src/site/selection.ts';
import type { ResourceType } from '../../src/site/types.ts';

const type = (group: string, resource: string, kind: string, namespaced = true): ResourceType => ({ group, version: 'v1', resource, kind, namespaced });
const DEPLOYMENTS = type('apps', 'deployments', 'Deployment');
const CONFIG_MAPS = type('', 'configmaps', 'ConfigMap');
const NAMESPACES = type('', 'namespaces', 'Namespace', false);
const NODES = type('', 'nodes', 'Node', false);
const CERTIFICATES = type('cert-manager.io', 'certificates', 'Certificate');

describe('a selection', () => {
  it('selects everything when nothing is said', () => {
    const all = compileSelection({});
    expect([DEPLOYMENTS, NODES, NAMESPACES].map((each) => all.hasType(each))).toEqual([true, true, true]);
    expect(all.hasNamespace('anything')).toBe(true);
    expect(all.filtersNamespaces).toBe(false);
  });

  it.each([
    ['deployments.apps', true],
    ['deployments', true],
    ['Deployment', true],
    ['*.apps', true],
    ['deploy*', true],
    ['*', true],
    ['apps', false],
    ['deployment', false],
    ['deployments.extensions', false],
    ['deploymentsXapps', false],
  ])('type %s: selects deployments of apps: %s', (pattern, selected) => {
    expect(compileSelection({ types: [pattern] }).hasType(DEPLOYMENTS)).toBe(selected);
    expect(compileSelection({ excludeTypes: [pattern] }).hasType(DEPLOYMENTS)).toBe(!selected);
  });

  it('lets exclusion win', () => {
    const selection = compileSelection({ types: ['*'], excludeTypes: ['*.cert-manager.io'], namespaces: ['team-*'], excludeNamespaces: ['team-b'] });
    expect(selection.hasType(CERTIFICATES)).toBe(false);
    expect(selection.hasType(CONFIG_MAPS)).toBe(true);
    expect(['team-a', 'team-b', 'other'].filter((name) => selection.hasNamespace(name))).toEqual(['team-a']);
  });

  it('leaves cluster-scoped objects out once namespaces or labels restrict it, but not the namespaces themselves', () => {
    const named = compileSelection({ namespaces: ['shop'] });
    expect([NODES, NAMESPACES, CONFIG_MAPS].map((each) => named.hasType(each))).toEqual([false, true, true]);
    const labelled = compileSelection({ labels: 'app=shop' });
    expect([NODES, NAMESPACES, CONFIG_MAPS].map((each) => labelled.hasType(each))).toEqual([false, false, true]);
    const both = compileSelection({ namespaces: ['shop'], clusterScoped: true });
    expect(both.hasType(NODES)).toBe(true);
    expect(compileSelection({ clusterScoped: false }).hasType(NODES)).toBe(false);
    expect(compileSelection({ excludeNamespaces: ['shop'] }).hasType(NODES)).toBe(true);
  });

  it('knows when all namespaces are given by name', () => {
    expect(compileSelection({ namespaces: ['b', 'a', 'b'], excludeNamespaces: ['x*'] }).exactNamespaces).toEqual(['a', 'b']);
    expect(compileSelection({ namespaces: ['a', 'b*'] }).exactNamespaces).toBeUndefined();
    expect(compileSelection({}).exactNamespaces).toBeUndefined();
  });

  it('says which types match nothing', () => {
    const selection = compileSelection({ types: ['configmaps', 'secrts'] });
    expect(selection.unmatched([CONFIG_MAPS, DEPLOYMENTS])).toEqual(['secrts']);
  });

  it('knows whether an unknown API may hold something selected', () => {
    expect(compileSelection({}).mayHaveGroup('x.example')).toBe(true);
    expect(compileSelection({ types: ['configmaps'] }).mayHaveGroup('x.example')).toBe(false);
    expect(compileSelection({ types: ['things.x.example'] }).mayHaveGroup('x.example')).toBe(true);
    expect(compileSelection({ excludeTypes: ['*.x.example'] }).mayHaveGroup('x.example')).toBe(false);
  });

  it.each(['Shop', 'a b', '-a', 'a/b', ''])('refuses the namespace %j', (name) => {
    expect(() => compileSelection({ namespaces: [name] })).toThrow(expect.objectContaining({ code: 'LB_USAGE' }));
  });
});

describe('a label selector', () => {
  const labels = { app: 'shop', tier: 'web', 'example.com/team': 'a' };
  it.each([
    ['app=shop', true],
    ['app==shop,tier=web', true],
    ['app = shop , tier = cache', false],
    ['tier!=cache', true],
    ['absent!=x', true],
    ['app', true],
    ['!app', false],
    ['!absent', true],
    ['example.com/team=a', true],
    ['app in (shop, bar)', true],
    ['app in (bar),tier', false],
    ['app notin (bar,baz),tier=web', true],
    ['absent notin (a)', true],
    ['absent in (a)', false],
    ['app=', false],
  ])('%s: %s', (selector, holds) => {
    expect(parseLabelSelector(selector).matches(labels)).toBe(holds);
  });

  it.each(['', 'app=shop,', 'app=a b', '=x', 'app in shop', 'app in ()x', 'a/b/c=d', '-app', 'app=-x', 'app ~ x'])('refuses %j', (selector) => {
    expect(() => parseLabelSelector(selector)).toThrow(expect.objectContaining({ code: 'LB_USAGE' }));
  });
});
