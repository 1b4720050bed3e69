import Testing

@testable import Page

struct `Charts` {
  /// What a picture draws must lie inside of it: rectangles, and the baselines of texts.
  private func checkBounds(of svg: Substring) throws {
    let height = try #require(
      svg.firstMatch(of: /viewBox="0 0 360 ([0-9.]+)"/).flatMap { Double($0.1) })
    for match in svg.matches(
      of: /<rect class="s[01]" x="([0-9.-]+)" y="([0-9.-]+)" width="([0-9.]+)" height="([0-9.]+)"/)
    {
      let numbers = [match.1, match.2, match.3, match.4].compactMap { Double($0) }
      #expect(numbers.count == 4)
      #expect(numbers[0] >= 0 && numbers[0] + numbers[2] <= 360)
      #expect(numbers[1] >= 0 && numbers[1] + numbers[3] <= height)
    }
    for match in svg.matches(of: /<text[^>]* x="([0-9.-]+)" y="([0-9.-]+)"/) {
      let (x, y) = (Double(match.1) ?? -1, Double(match.2) ?? -1)
      #expect(x >= 0 && x <= 360 && y > 0 && y <= height)
    }
  }

  @Test func `bars are as long as their values say and lie inside the picture`() throws {
    let chart = BarChart(
      title: "A <title>", caption: "caption", series: ["one", "two"],
      rows: [
        ("x", "1 user", [.init(value: 0.5, interval: 0.25...1), .init(value: 0.25)]),
        ("y", "no users", [nil, .init(value: 0)]),
      ]
    ).svg
    try checkBounds(of: chart[...])
    #expect(chart.contains("A &lt;title&gt;") && !chart.contains("<title>"))
    // The longest mark, an interval that ends at 1, takes 360 − 112 − 50 units; a half takes half of them.
    #expect(chart.contains("width=\"99\""))
    #expect(chart.contains("H310") && chart.contains("no users"))
    let widths = chart.matches(of: /<rect class="s[01]" x="112" [^>]*width="([0-9.]+)"/).map(\.1)
    #expect(widths == ["99", "49.5", "1"])
  }

  @Test func `lines break where a value is missing`() throws {
    let chart = LineChart(
      title: "t", caption: "c", series: [("a", [0, nil, 2, 1]), ("b", [1, 1, 1, 1])],
      steps: ["1", "2", "3", "4"], mark: (step: 3, label: "chosen")
    ).svg
    try checkBounds(of: chart[...])
    let path = try #require(chart.firstMatch(of: /<path class="l0" d="(M[^"]*)"\/><circle/))
    #expect(path.1.count { $0 == "M" } == 2 && path.1.count { $0 == "L" } == 1)
    #expect(chart.contains(">chosen</text>"))
  }

  @Test func `columns are as high as their values say and thinned out where there are many`() throws
  {
    let few = ColumnChart(
      title: "t", caption: "c", values: [4, 1], labels: ["<a>", "b"], level: 2
    ).svg
    try checkBounds(of: few[...])
    #expect(few.contains("&lt;a&gt;"))
    // 132 units for 4, so 33 for 1; the line of 2 stands in the middle between 24 and 156.
    #expect(few.contains("height=\"132.0\"") && few.contains("height=\"33.0\""))
    #expect(few.contains("class=\"mark\" d=\"M0 90H360\""))
    let many = ColumnChart(title: "t", caption: "c", values: (0..<1000).map { 1000 - Double($0) })
      .svg
    #expect(many.matches(of: /<rect/).count == 360)
    try checkBounds(of: many[...])
  }

  @Test func `points fill the map and say what they are`() {
    let map = PointMap(
      title: "t", caption: "c",
      points: [
        .init(x: -1, y: 5, group: 0, text: "<i>"), .init(x: 3, y: 5, group: 1, text: ""),
      ]
    ).svg
    #expect(map.contains("cx=\"10.0\"") && map.contains("cx=\"710.0\""))
    #expect(map.contains("<title>0: &lt;i&gt;</title>") && map.contains("hsl(138 65% 50%)"))
  }
}
