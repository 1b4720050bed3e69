/// Horizontal bars from zero, for one or two series, with optional intervals.
///
/// Drawn 360 units wide, so that its text stays readable when a phone shows it at full width. Series differ in lightness
/// and in pattern, not in hue alone.
public struct BarChart {
  /// One bar.
  public struct Bar {
    let value: Double
    let interval: ClosedRange<Double>?

    /// A bar from zero to a value.
    public init(value: Double, interval: ClosedRange<Double>? = nil) {
      self.value = value
      self.interval = interval
    }
  }

  private let title: String
  private let caption: String
  private let series: [String]
  private let rows: [(label: String, remark: String, bars: [Bar?])]

  /// Prepares a picture.
  ///
  /// - Parameters:
  ///   - title: of the picture.
  ///   - caption: what the bars measure, under the title.
  ///   - series: the names of the series; one or two.
  ///   - rows: a label, a remark below it, and one bar a series (nil where there is no value).
  public init(
    title: String, caption: String, series: [String],
    rows: [(label: String, remark: String, bars: [Bar?])]
  ) {
    self.title = title
    self.caption = caption
    self.series = series
    self.rows = rows
  }

  private static let width = 360.0
  private static let labelWidth = 112.0
  /// Characters that fit beside a bar, and on a line of its own.
  private static let (labelLimit, lineLimit) = (18, 52)
  private static let valueWidth = 50.0
  private static let barHeight = 15.0

  /// Whether labels stand above their bars, since one is too long to stand beside them.
  private var isStacked: Bool { rows.contains { $0.label.count > Self.labelLimit } }

  /// Where bars begin.
  private var left: Double { isStacked ? 0 : Self.labelWidth }

  private var limit: Double {
    let ends = rows.flatMap { row in
      row.bars.compactMap { $0 }.map { max($0.value, $0.interval?.upperBound ?? 0) }
    }
    return max(ends.max() ?? 0, 1e-12)
  }

  /// The picture as an element of HTML.
  public var svg: String {
    var y = series.count > 1 ? 26.0 : 4.0
    var parts: [String] = series.count > 1 ? [legend] : []
    let rowHeight = Double(series.count) * (Self.barHeight + 2) + 10 + (isStacked ? 15 : 0)
    for row in rows {
      parts.append(markup(of: row, at: y))
      y += rowHeight
    }
    let text = rows.map { row in
      "\(row.label): "
        + row.bars.map { bar in bar.map { decimal($0.value, 4) } ?? "none" }
        .joined(separator: ", ")
    }
    return """
      <figure><figcaption><b>\(escaped(title))</b><span>\(escaped(caption))</span></figcaption>
      <svg viewBox="0 0 360 \(coordinate(y))" role="img" aria-label="\(escaped(title)). \
      \(escaped(text.joined(separator: "; ")))">
      \(parts.joined(separator: "\n"))
      </svg></figure>
      """
  }

  private var legend: String {
    series.enumerated().map { index, name in
      let x = Double(index) * 170
      return """
        <rect class="s\(index)" x="\(coordinate(x))" y="4" width="12" height="12"/>\
        <text x="\(coordinate(x + 17))" y="14">\(escaped(name))</text>
        """
    }.joined(separator: "\n")
  }

  private func markup(
    of row: (label: String, remark: String, bars: [Bar?]), at top: Double
  ) -> String {
    let middle = top + Double(series.count) * (Self.barHeight + 2) / 2
    var parts: [String]
    if isStacked {
      let label = escaped(row.label, limit: Self.lineLimit - row.remark.count)
      parts = [
        """
        <text x="0" y="\(coordinate(top + 11))">\(label)<tspan class="dim" dx="6">\(escaped(row.remark))</tspan></text>
        """
      ]
    } else {
      parts = [
        "<text x=\"0\" y=\"\(coordinate(middle - 1))\">\(escaped(row.label))</text>",
        "<text class=\"dim\" x=\"0\" y=\"\(coordinate(middle + 11))\">\(escaped(row.remark))</text>",
      ]
    }
    for (index, bar) in row.bars.enumerated() {
      let y = top + (isStacked ? 15 : 0) + Double(index) * (Self.barHeight + 2)
      parts.append(markup(of: bar, series: index, at: y))
    }
    return parts.joined(separator: "\n")
  }

  private func markup(of bar: Bar?, series: Int, at y: Double) -> String {
    let textY = coordinate(y + 12)
    guard let bar else {
      return
        "<text class=\"dim\" x=\"\(coordinate(left))\" y=\"\(textY)\">no users</text>"
    }
    let scale = (Self.width - left - Self.valueWidth) / limit
    let length = max(0, bar.value) * scale
    var end = length
    var markup = """
      <rect class="s\(series)" x="\(coordinate(left))" y="\(coordinate(y))" \
      width="\(coordinate(max(1, length)))" height="\(coordinate(Self.barHeight))" rx="2"/>
      """
    if let interval = bar.interval {
      let from = left + interval.lowerBound * scale
      let to = left + interval.upperBound * scale
      let middle = coordinate(y + Self.barHeight / 2)
      let (high, low) = (coordinate(y + 4), coordinate(y + Self.barHeight - 4))
      markup += """
        <path class="whisker" d="M\(coordinate(from)) \(middle)H\(coordinate(to))\
        M\(coordinate(from)) \(high)V\(low)M\(coordinate(to)) \(high)V\(low)"/>
        """
      end = max(end, interval.upperBound * scale)
    }
    let x = coordinate(left + end + 5)
    return markup + "<text x=\"\(x)\" y=\"\(textY)\">\(decimal(bar.value, 4))</text>"
  }
}
