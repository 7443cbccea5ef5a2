import { Html } from './html.ts';

/** Readable on screens light and dark, on paper, and without colours: nothing is said by colour alone. */
export const STYLE = new Html(`
:root { color-scheme: light dark; --ink: #1a1c1f; --soft: #565c66; --line: #d5d9e0; --paper: #fff; --panel: #f5f6f8; --good: #0b6b37; --bad: #b3141b; --plain: #6b4d00; --bar: #3566b8; --part: #8fb0e3; --area: #dbe6f8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a8b0bb; --line: #3b414a; --paper: #15171a; --panel: #1f2226; --good: #6fd39a; --bad: #ff8b8b; --plain: #e8c468; --bar: #7aa7f0; --part: #44689f; --area: #23344f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .3rem; }
p { margin: .4rem 0; }
.soft { color: var(--soft); }
.verdict { display: flex; gap: 1rem; align-items: baseline; margin: 1.25rem 0; padding: .9rem 1.1rem; border: 2px solid currentColor; border-radius: .5rem; }
.verdict strong { font-size: 1.3rem; }
.verdict span { color: var(--ink); }
.good { color: var(--good); } .bad { color: var(--bad); } .plain { color: var(--plain); }
table { width: 100%; border-collapse: collapse; margin: .6rem 0; font-size: .94rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .25rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { background: var(--panel); }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.mark { white-space: nowrap; font-weight: 600; }
code, pre { font: .86rem/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; background: var(--panel); border: 1px solid var(--line); border-radius: .35rem; padding: .6rem .75rem; margin: .4rem 0; max-height: 24rem; overflow: auto; }
ul { margin: .4rem 0; padding-left: 1.25rem; }
figure { margin: .8rem 0; overflow-x: auto; }
svg { display: block; width: 100%; min-width: 36rem; height: auto; font: 13px system-ui, sans-serif; fill: var(--ink); }
svg .bar { fill: var(--bar); } svg .part { fill: var(--part); } svg .area { fill: var(--area); } svg .soft { fill: var(--soft); } svg .none { fill: var(--bad); opacity: .25; }
svg .grid { stroke: var(--line); } svg .line { stroke: var(--bar); stroke-width: 1.5; fill: none; } svg .limit { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 6 4; }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --panel: #fff; --good: #000; --bad: #000; --plain: #000; --bar: #555; --part: #999; --area: #eee; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  pre { max-height: none; }
  tr, figure, .verdict { break-inside: avoid; } h2, h3 { break-after: avoid; }
}
`);
