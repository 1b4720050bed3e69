/// Columns side by side: a distribution, or a few named counts.
public struct ColumnChart {
  private let title: String
  private let caption: String
  private let values: [Double]
  private let labels: [String]
  private let level: Double?

  private static let (width, height) = (360.0, 176.0)
  private static let (top, bottom) = (24.0, 156.0)

  /// Prepares a picture.
  ///
  /// - Parameters:
  ///   - title: of the picture.
  ///   - caption: what the columns count, under the title.
  ///   - values: the height of each column; thinned out where there are more than the picture is wide.
  ///   - labels: the name of each column, under it; empty for none, then only the largest value is written.
  ///   - level: a height that a dashed line marks.
  public init(
    title: String, caption: String, values: [Double], labels: [String] = [], level: Double? = nil
  ) {
    self.title = title
    self.caption = caption
    self.values = values
    self.labels = labels
    self.level = level
  }

  /// The picture as an element of HTML.
  public var svg: String {
    let count = min(values.count, Int(Self.width))
    let limit = max(values.max() ?? 0, level ?? 0, .leastNormalMagnitude)
    let step = Self.width / Double(max(1, count))
    func height(_ value: Double) -> Double { value / limit * (Self.bottom - Self.top) }
    var parts = (0..<count).map { column -> String in
      let value = values[column * values.count / count]
      let (x, y) = (Double(column) * step, Self.bottom - height(value))
      let shape = """
        <rect class="s0" x="\(decimal(x, 2))" y="\(decimal(y, 1))" \
        width="\(decimal(labels.isEmpty ? step : step * 0.75, 2))" height="\(decimal(height(value), 1))"/>
        """
      guard column < labels.count else { return shape }
      return shape
        + "<text x=\"\(coordinate(x))\" y=\"\(coordinate(y - 4))\">\(grouped(Int64(value)))</text>"
        + "<text x=\"\(coordinate(x))\" y=\"\(coordinate(Self.height - 6))\">\(escaped(labels[column]))</text>"
    }
    if labels.isEmpty, let largest = values.max() {
      parts.append("<text class=\"dim\" x=\"0\" y=\"12\">\(grouped(Int64(largest)))</text>")
    }
    if let level {
      let y = coordinate(Self.bottom - height(level))
      parts.append("<path class=\"mark\" d=\"M0 \(y)H\(coordinate(Self.width))\"/>")
    }
    return """
      <figure><figcaption><b>\(escaped(title))</b><span>\(escaped(caption))</span></figcaption>
      <svg viewBox="0 0 360 176" role="img" aria-label="\(escaped(title)), \(escaped(caption))">
      \(parts.joined(separator: "\n"))
      </svg></figure>
      """
  }
}
