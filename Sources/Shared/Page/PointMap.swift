/// Points in a plane, coloured by group, with a text each that shows where the reader points.
public struct PointMap {
  /// One point.
  public struct Point {
    let (x, y): (Float, Float)
    let group: Int
    let text: String

    /// A point; groups with neighbouring numbers get colours far apart.
    public init(x: Float, y: Float, group: Int, text: String) {
      (self.x, self.y) = (x, y)
      self.group = group
      self.text = text
    }
  }

  private let title: String
  private let caption: String
  private let points: [Point]

  private static let size = 720.0
  private static let margin = 10.0

  /// Prepares a picture; the points' own range fills it.
  public init(title: String, caption: String, points: [Point]) {
    self.title = title
    self.caption = caption
    self.points = points
  }

  /// The picture as an element of HTML.
  public var svg: String {
    let (horizontal, vertical) = (scale(points.map(\.x)), scale(points.map(\.y)))
    let circles = points.map { point in
      // Steps of the golden angle keep the hues of neighbouring groups apart.
      let hue = (Double(point.group) * 137.508).truncatingRemainder(dividingBy: 360)
      return """
        <circle cx="\(decimal(horizontal(point.x), 1))" cy="\(decimal(Self.size - vertical(point.y), 1))" r="2.4" \
        fill="hsl(\(decimal(hue, 0)) 65% 50%)"><title>\(point.group): \(escaped(point.text, limit: 50))</title></circle>
        """
    }
    return """
      <figure class="wide"><figcaption><b>\(escaped(title))</b><span>\(escaped(caption))</span></figcaption>
      <svg viewBox="0 0 720 720" role="img" aria-label="\(escaped(title)), \(escaped(caption))">
      \(circles.joined(separator: "\n"))
      </svg></figure>
      """
  }

  /// Where a value lies between the margins.
  private func scale(_ values: [Float]) -> (Float) -> Double {
    let low = values.min() ?? 0
    let span = max((values.max() ?? 0) - low, .leastNormalMagnitude)
    let length = Self.size - 2 * Self.margin
    return { Self.margin + length * Double(($0 - low) / span) }
  }
}
