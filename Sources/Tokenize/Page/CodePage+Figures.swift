internal import Dataset
internal import Numerics

extension CodePage {
  /// Items on the map.
  private static let pointLimit = 4000
  private static let (width, height) = (360.0, 160.0)

  /// How often each code of a level is used, by falling use.
  func usageFigure(_ level: Int) -> String {
    let usage = report.statistics.levels[level].usage.sorted(by: >)
    let largest = Double(usage.first ?? 1)
    let columns = min(usage.count, 360)
    let step = Self.width / Double(columns)
    let bars = (0..<columns).map { column in
      let value = Double(usage[column * usage.count / columns]) / largest * (Self.height - 20)
      return """
        <rect class="bar" x="\(decimal(Double(column) * step, 2))" width="\(decimal(step, 2))" \
        y="\(decimal(Self.height - value, 1))" height="\(decimal(value, 1))"/>
        """
    }
    let even =
      Double(report.statistics.itemCount) / Double(usage.count) / largest * (Self.height - 20)
    return """
      <figure><figcaption>Level \(level + 1)<span class="faint">items a code, most used first; the dashed line is \
      equal use</span></figcaption>
      <svg viewBox="0 0 360 160" role="img" aria-label="use of the codes of level \(level + 1)">
      <text x="0" y="10">\(usage.first ?? 0) items</text>
      \(bars.joined())
      <line class="even" x1="0" x2="360" y1="\(decimal(Self.height - even, 1))" y2="\(decimal(Self.height - even, 1))"/>
      </svg></figure>
      """
  }

  /// How many items are in groups of one, two, … equal tuples.
  var groupFigure: String {
    let sizes = report.statistics.groups.map(\.items.count)
    let alone = report.statistics.itemCount - sizes.reduce(0, +)
    let bins: [(String, Int)] =
      [("alone", alone)]
      + [
        ("2", 2..<3), ("3–4", 3..<5), ("5–9", 5..<10), ("10–99", 10..<100), ("100+", 100..<Int.max),
      ]
      .map { name, range in (name, sizes.filter(range.contains).reduce(0, +)) }
    let largest = Double(max(1, bins.map(\.1).max() ?? 1))
    let bars = bins.enumerated().map { index, bin in
      let value = Double(bin.1) / largest * 110
      let x = 10 + 58 * index
      return """
        <rect class="bar" x="\(x)" width="44" y="\(decimal(140 - value, 1))" height="\(decimal(value, 1))"/>
        <text x="\(x)" y="\(decimal(136 - value, 1))">\(bin.1)</text><text x="\(x)" y="154">\(bin.0)</text>
        """
    }
    return """
      <figure><figcaption>Groups<span class="faint">items by the number of items with the same codes</span></figcaption>
      <svg viewBox="0 0 360 160" role="img" aria-label="sizes of groups with equal codes">
      \(bars.joined(separator: "\n"))
      </svg></figure>
      """
  }

  /// Items in the plane of the first two principal components, coloured by their first code.
  var mapFigure: String {
    let count = min(map.rows, Self.pointLimit)
    let items = (0..<count).map { $0 * map.rows / max(1, count) }
    let (low, high) = (corner(items, min), corner(items, max))
    let levelCount = report.items.levelSizes.count
    let points = items.map { item in
      let place = (0..<2).map { axis in
        let span = max(high[axis] - low[axis], .leastNormalMagnitude)
        return 10 + 700 * Double((map.values[2 * item + axis] - low[axis]) / span)
      }
      let code = Int(report.items.codes[item * levelCount])
      // Steps of the golden angle keep the hues of neighbouring codes apart.
      let hue = Double(code) * 137.508
      let title = report.catalogue.titles[item]
      return """
        <circle cx="\(decimal(place[0], 1))" cy="\(decimal(720 - place[1], 1))" r="2.4" \
        fill="hsl(\(decimal(hue.truncatingRemainder(dividingBy: 360), 0)) 65% 50%)"><title>\(code): \
        \(escaped(title.isEmpty ? report.catalogue.itemIDs[item] : title, limit: 50))</title></circle>
        """
    }
    return """
      <figure><figcaption>\(count) items<span class="faint">by the two main directions of their vectors; a colour is a \
      first code; point at an item to read it</span></figcaption>
      <svg viewBox="0 0 720 720" role="img" aria-label="map of items coloured by their first code">
      \(points.joined(separator: "\n"))
      </svg></figure>
      """
  }

  private func corner(_ items: [Int], _ choose: (Float, Float) -> Float) -> [Float] {
    (0..<2).map { axis in
      items.dropFirst().reduce(items.first.map { map.values[2 * $0 + axis] } ?? 0) {
        choose($0, map.values[2 * $1 + axis])
      }
    }
  }
}
