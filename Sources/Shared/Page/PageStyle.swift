/// The look of all pages: the reader's own fonts, light and dark, one column on a phone, ink only on paper.
///
/// Blue and orange are those of Okabe and Ito (2008), which people with any colour vision tell apart.
let pageStyle = """
  :root { color-scheme: light dark; --ink: #1b1f24; --dim: #57606a; --line: #d0d7de; --edge: #8c959f; --page: #ffffff;
    --card: #f6f8fa; --s0: #0072b2; --s1: #e69f00; --whisker: #1b1f24; }
  @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9aa4af; --line: #30363d; --edge: #6e7681;
    --page: #0d1117; --card: #161b22; --s0: #56b4e9; --s1: #e69f00; --whisker: #e6edf3; } }
  * { box-sizing: border-box; }
  body { margin: 0 auto; max-width: 70rem; padding: 1rem; background: var(--page); color: var(--ink);
    font: 16px/1.5 system-ui, sans-serif; }
  h1 { font-size: 1.6rem; margin: .5rem 0 0; }
  h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; border-bottom: 1px solid var(--line); }
  h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
  p { margin: .25rem 0 .75rem; max-width: 48rem; }
  .dim, figcaption span, small { color: var(--dim); }
  .tiles { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
    margin: 1rem 0; }
  .tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .8rem; }
  .tile b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
  .tile small { display: block; font-size: .8rem; }
  .figures { display: grid; gap: 1rem; align-items: start; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
  figure { margin: 0; padding: .75rem; max-width: 36rem; background: var(--card); border: 1px solid var(--line);
    border-radius: 8px; break-inside: avoid; }
  figcaption b { display: block; }
  figcaption span { font-size: .85rem; }
  svg { display: block; width: 100%; height: auto; margin-top: .5rem; }
  svg text { fill: var(--ink); font: 11.5px system-ui, sans-serif; }
  svg text.dim { fill: var(--dim); font-size: 10px; }
  .s0 { fill: var(--s0); } .s1 { fill: var(--s1); }
  .l0, .l1 { fill: none; stroke-width: 2; } .l0 { stroke: var(--s0); }
  .l1 { stroke: var(--s1); stroke-dasharray: 5 3; }
  .whisker { fill: none; stroke: var(--whisker); stroke-width: 1.2; }
  .grid { fill: none; stroke: var(--line); } .mark { fill: none; stroke: var(--dim); stroke-dasharray: 2 3; }
  .scroll { overflow-x: auto; background: linear-gradient(to right, var(--page) 40%, transparent) 0 0 / 2.5rem 100%
    no-repeat local, linear-gradient(to left, var(--page) 40%, transparent) 100% 0 / 2.5rem 100% no-repeat local,
    linear-gradient(to right, var(--edge), transparent) 0 0 / .8rem 100% no-repeat scroll,
    linear-gradient(to left, var(--edge), transparent) 100% 0 / .8rem 100% no-repeat scroll, var(--page); }
  .verdict { font-size: 1.15rem; } ul { margin: .25rem 0 .75rem; padding-left: 1.2rem; max-width: 48rem; }
  svg tspan.dim { fill: var(--dim); font-size: 10px; }
  table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; margin: .5rem 0; }
  th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
  th:first-child, .text td, .text th { text-align: left; }
  th:first-child { white-space: normal; min-width: 8rem; max-width: 20rem; }
  .text td, .text th { white-space: normal; vertical-align: top; min-width: 6rem; overflow-wrap: anywhere; }
  th { font-weight: 600; }
  td small, th small { display: block; font-size: .75rem; font-weight: 400; }
  .user { border: 1px solid var(--line); border-radius: 8px; padding: .5rem .9rem; margin: .75rem 0;
    break-inside: avoid; }
  .hit { font-weight: 600; }
  .hit::after { content: " ✓ the truth"; color: var(--s0); }
  .warning { border-left: 4px solid var(--s1); padding: .25rem .75rem; }
  details { margin: .75rem 0; } summary { cursor: pointer; font-weight: 600; padding: .3rem 0; }
  figure.wide { max-width: none; }
  code { font-size: .85em; overflow-wrap: anywhere; }
  @media print { :root { --ink: #000; --dim: #444; --line: #bbb; --page: #fff; --card: #fff; --s0: #0072b2;
    --whisker: #000; } body { font-size: 11px; max-width: none; } h2 { break-after: avoid; } }
  """
