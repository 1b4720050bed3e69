internal import Dataset
internal import Numerics
internal import Page

extension CodePage {
  /// Items on the map.
  private static let pointLimit = 4000

  /// How often each code of a level is used, by falling use.
  func usageFigure(_ level: Int) -> String {
    let usage = report.statistics.levels[level].usage
    return ColumnChart(
      title: "Level \(level + 1)",
      caption: "items a code, most used first; the dashed line is equal use",
      values: usage.sorted(by: >).map(Double.init),
      level: Double(report.statistics.itemCount) / Double(usage.count)
    ).svg
  }

  /// How many items are in groups of one, two, … equal tuples.
  var groupFigure: String {
    let sizes = report.statistics.groups.map(\.items.count)
    let ranges: [(String, Range<Int>)] = [
      ("2", 2..<3), ("3–4", 3..<5), ("5–9", 5..<10), ("10–99", 10..<100), ("100+", 100..<Int.max),
    ]
    let alone = report.statistics.itemCount - sizes.reduce(0, +)
    let counts = ranges.map { _, range in sizes.filter(range.contains).reduce(0, +) }
    return ColumnChart(
      title: "Groups", caption: "items by the number of items with the same codes",
      values: ([alone] + counts).map(Double.init), labels: ["alone"] + ranges.map(\.0)
    ).svg
  }

  /// Items in the plane of the first two principal components, coloured by their first code.
  ///
  /// - Parameter map: the first two principal components of the item vectors, shape `[items, 2]`.
  /// - Returns: the picture.
  func mapFigure(_ map: Matrix) -> String {
    let count = min(map.rows, Self.pointLimit)
    let levelCount = report.items.levelSizes.count
    let points = (0..<count).map { $0 * map.rows / max(1, count) }.map { item in
      let title = report.catalogue.titles[item]
      return PointMap.Point(
        x: map.values[2 * item], y: map.values[2 * item + 1],
        group: Int(report.items.codes[item * levelCount]),
        text: title.isEmpty ? report.catalogue.itemIDs[item] : title)
    }
    return PointMap(
      title: "\(count) items",
      caption: """
        by the two main directions of their vectors; a colour is a first code; point at an item to read it
        """,
      points: points
    ).svg
  }
}
