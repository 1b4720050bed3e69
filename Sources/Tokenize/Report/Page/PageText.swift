/// Text as it must stand in HTML, in one line and cut after `limit` characters.
func escaped(_ text: String, limit: Int = 80) -> String {
  var result = ""
  for character in text.prefix(limit) {
    switch character {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case _ where character.isNewline: result += " "
    default: result.append(character)
    }
  }
  return text.count > limit ? result + "…" : result
}

/// An HTML table; cells are escaped already.
func htmlTable(_ header: [String], _ rows: [[String]]) -> String {
  let head = header.map { "<th>\($0)</th>" }.joined()
  let body = rows.map { row in "<tr>\(row.map { "<td>\($0)</td>" }.joined())</tr>" }
  return """
    <div class="scroll"><table><thead><tr>\(head)</tr></thead>
    <tbody>
    \(body.joined(separator: "\n"))
    </tbody></table></div>
    """
}

/// The look of report.html: the reader's fonts and colour scheme, nothing loaded from elsewhere.
let codePageStyle = """
  :root { color-scheme: light dark; --ink: #1c1e21; --faint: #68707a; --rule: #d5d9de; --back: #fff;
    --panel: #f5f6f8; --bar: #0072b2; }
  @media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --faint: #98a1ab; --rule: #333a42;
    --back: #111418; --panel: #191d22; --bar: #56b4e9; } }
  body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--back); color: var(--ink);
    font: 16px/1.5 system-ui, sans-serif; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
  p { max-width: 50rem; } .faint { color: var(--faint); font-size: .85rem; }
  .figures { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
  figure { margin: 0; padding: .75rem; background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; }
  figcaption { font-weight: 600; } figcaption span { display: block; font-weight: 400; }
  svg { display: block; width: 100%; height: auto; } svg text { fill: var(--faint); font: 10px system-ui, sans-serif; }
  .bar { fill: var(--bar); } .even { stroke: var(--faint); stroke-dasharray: 3 3; }
  .scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .88rem; }
  th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top;
    font-variant-numeric: tabular-nums; }
  summary { cursor: pointer; font-weight: 600; padding: .3rem 0; }
  """
