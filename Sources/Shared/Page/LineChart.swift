/// Lines over steps, for one or two series that differ in colour, dash and marker.
public struct LineChart {
  private let title: String
  private let caption: String
  private let series: [(name: String, values: [Double?])]
  private let intervals: [ClosedRange<Double>?]
  private let steps: [String]
  private let mark: (step: Int, label: String)?
  private let startsAtZero: Bool

  /// Prepares a picture.
  ///
  /// - Parameters:
  ///   - title: of the picture.
  ///   - caption: what the lines measure, under the title.
  ///   - series: a name and one value a step; nil where there is none.
  ///   - intervals: one a step around the first line, drawn as a whisker; nil where there is none; empty for none at all.
  ///   - steps: the name of each step, under the picture; thinned out where there are many.
  ///   - mark: a step to mark, with what to say there.
  ///   - startsAtZero: whether the scale begins at zero.
  public init(
    title: String, caption: String, series: [(name: String, values: [Double?])],
    intervals: [ClosedRange<Double>?] = [], steps: [String],
    mark: (step: Int, label: String)? = nil,
    startsAtZero: Bool = true
  ) {
    self.title = title
    self.caption = caption
    self.series = series
    self.intervals = intervals
    self.steps = steps
    self.mark = mark
    self.startsAtZero = startsAtZero
  }

  private static let left = 46.0
  private static let right = 352.0
  private static let top = 30.0
  private static let bottom = 180.0

  private var range: ClosedRange<Double> {
    let values =
      series.flatMap { $0.values.compactMap { $0 } }
      + intervals.flatMap { $0.map { [$0.lowerBound, $0.upperBound] } ?? [] }
    let low = startsAtZero ? 0 : values.min() ?? 0
    let high = values.max() ?? 1
    return low...(high > low ? high : low + 1)
  }

  private func x(_ step: Int) -> Double {
    guard steps.count > 1 else { return (Self.left + Self.right) / 2 }
    return Self.left + 8 + (Self.right - Self.left - 16) * Double(step) / Double(steps.count - 1)
  }

  private func y(_ value: Double) -> Double {
    let share = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    return Self.bottom - (Self.bottom - Self.top) * share
  }

  /// The picture as an element of HTML.
  public var svg: String {
    var parts = [axes]
    if let mark, steps.indices.contains(mark.step) {
      let x = coordinate(x(mark.step))
      parts.append(
        """
        <path class="mark" d="M\(x) \(coordinate(Self.top - 6))V\(coordinate(Self.bottom))"/>
        <text class="dim" x="\(x)" y="\(coordinate(Self.top - 9))" \
        text-anchor="\(mark.step * 2 > steps.count ? "end" : "start")">\(escaped(mark.label))</text>
        """)
    }
    parts += intervals.prefix(steps.count).enumerated().compactMap { step, interval in
      interval.map {
        "<path class=\"whisker\" d=\"M\(coordinate(x(step))) \(coordinate(y($0.lowerBound)))V\(coordinate(y($0.upperBound)))\"/>"
      }
    }
    for (index, line) in series.enumerated() { parts.append(markup(of: line.values, index)) }
    let legendY = Self.bottom + 36
    for (index, line) in series.enumerated() {
      let x = Self.left + Double(index) * 156
      parts.append(
        """
        <path class="l\(index)" d="M\(coordinate(x)) \(coordinate(legendY - 4))h22"/>\
        \(marker(index, x + 11, legendY - 4))\
        <text x="\(coordinate(x + 28))" y="\(coordinate(legendY))">\(escaped(line.name))</text>
        """)
    }
    return """
      <figure><figcaption><b>\(escaped(title))</b><span>\(escaped(caption))</span></figcaption>
      <svg viewBox="0 0 360 224" role="img" aria-label="\(escaped(title)), \(escaped(caption))">
      \(parts.joined(separator: "\n"))
      </svg></figure>
      """
  }

  private var axes: String {
    let ticks = (0...4).map { tick in
      let value =
        range.lowerBound + (range.upperBound - range.lowerBound) * Double(tick) / 4
      let places = range.upperBound >= 10 ? 1 : range.upperBound >= 1 ? 2 : 3
      return """
        <path class="grid" d="M\(coordinate(Self.left)) \(coordinate(y(value)))H\(coordinate(Self.right))"/>\
        <text class="dim" x="\(coordinate(Self.left - 5))" y="\(coordinate(y(value) + 4))" \
        text-anchor="end">\(decimal(value, places))</text>
        """
    }
    let every = max(1, (steps.count + 5) / 6)
    let names = steps.indices.filter { $0.isMultiple(of: every) }.map { step in
      """
      <text class="dim" x="\(coordinate(x(step)))" y="\(coordinate(Self.bottom + 15))" \
      text-anchor="middle">\(escaped(steps[step]))</text>
      """
    }
    return (ticks + names).joined(separator: "\n")
  }

  private func markup(of values: [Double?], _ index: Int) -> String {
    var path = ""
    var markers = ""
    for (step, value) in values.enumerated() {
      guard let value else { continue }
      let isStart = step == 0 || values[step - 1] == nil
      path += "\(isStart ? "M" : "L")\(coordinate(x(step))) \(coordinate(y(value)))"
      if steps.count <= 24 { markers += marker(index, x(step), y(value)) }
    }
    return "<path class=\"l\(index)\" d=\"\(path)\"/>" + markers
  }

  private func marker(_ index: Int, _ x: Double, _ y: Double) -> String {
    index == 0
      ? "<circle class=\"s0\" cx=\"\(coordinate(x))\" cy=\"\(coordinate(y))\" r=\"3.5\"/>"
      : "<rect class=\"s1\" x=\"\(coordinate(x - 3))\" y=\"\(coordinate(y - 3))\" width=\"6\" height=\"6\"/>"
  }
}
