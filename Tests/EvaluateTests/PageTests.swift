import Page
import ShardIO
import Testing

@testable import Evaluate

@Suite struct PageTests {
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

  @Test func `the page stands alone and has every part`() throws {
    let page = try ReportPage(SampleReport.json(withOther: true)).html
    for unwanted in ["<script", "http:", "https:", "src=", "href=", "@import", "url("] {
      #expect(!page.contains(unwanted), "\(unwanted)")
    }
    let headings = page.matches(of: /<h2>([^<]*)<\/h2>/).map { String($0.1) }
    #expect(
      headings == [
        "At a glance", "Examples", "Against the other run", "Where it is strong", "Accuracy",
        "Lists", "Training", "Gate", "Digits", "Codes", "Data", "Run",
      ])
    let pictures = page.matches(of: /<svg(.*?)<\/svg>/.dotMatchesNewlines())
    #expect(pictures.count == 14)
    for picture in pictures { try checkBounds(of: picture.0) }
    #expect(page.count { $0 == "<" } == page.count { $0 == ">" })
    for element in ["div", "table", "tr", "td", "th", "svg", "figure", "text", "small", "ol"] {
      let opened = page.matches(of: try Regex("<\(element)[ >]")).count
      let closed = page.matches(of: try Regex("</\(element)>")).count
      #expect(opened == closed, "\(element)")
    }
  }

  @Test func `the other run stands beside this one, and the data card warns`() throws {
    let page = try ReportPage(SampleReport.json(withOther: true)).html
    let sections = page.split(separator: "<h2>").dropFirst()
    for heading in ["Accuracy", "Lists", "Training", "Gate", "Codes"] {
      let section = try #require(sections.first { $0.hasPrefix("\(heading)<") })
      #expect(section.contains("other"), "\(heading)")
    }
    #expect(page.contains("<small>other run: 0.5833</small>"))
    #expect(page.contains("1 of the 4 test events (25.0 %) are earlier than the last training"))
    #expect(page.contains("The last event of each user is the test"))
    let alone = try ReportPage(SampleReport.json(withOther: false)).html
    #expect(!alone.contains("other run"))
  }

  @Test func `the first screen names data and run and compares with what needs no training`() throws
  {
    let report = try SampleReport.json(withOther: false)
    let page = ReportPage(report).html
    #expect(page.contains("<h1>four &lt;users&gt;: evaluation of &#39;h2rec&#39;</h1>"))
    #expect(page.contains(", run 00ff00ff</p>"))
    let first = try #require(page.split(separator: "<h2>Examples").first)
    #expect(first.contains("NDCG@10 0.5833"))
    for baseline in ["popularity", "recent popularity", "last-item neighbours", "item-kNN", "EASE"]
    {
      #expect(first.contains("\(baseline)</b>: 0.5833 against "))
    }
    #expect(!first.contains("<table"))
  }

  @Test func `a verdict follows the interval`() throws {
    func sentence(_ low: Double, _ high: Double) throws -> String {
      var report = try SampleReport.json(withOther: false).objectValue ?? [:]
      report["baselines"] = [
        "popularity": [
          "title": "popularity", "rule": "", "values": ["overall": ["ndcg@10": 0.5]],
          "differences": [
            "overall": ["ndcg@10": ["interval": [.number(low), .number(high)]]]
          ],
        ]
      ]
      return ReportPage(.object(report)).headline
    }
    #expect(try sentence(0.01, 0.1).contains("better than popularity"))
    #expect(try sentence(-0.01, 0.1).contains("not told apart from popularity"))
    #expect(try sentence(-0.1, -0.01).contains("worse than popularity"))
  }

  @Test func `long tables are folded, without a script`() throws {
    let page = try ReportPage(SampleReport.json(withOther: true)).html
    let accuracy = try #require(page.split(separator: "<h2>").first { $0.hasPrefix("Accuracy") })
    #expect(accuracy.matches(of: /<details><summary>/).count == 4)
    #expect(page.matches(of: /<details/).count == page.matches(of: /<\/details>/).count)
  }

  @Test func `a rising loss says why, and numbers are short`() throws {
    let page = try ReportPage(SampleReport.json(withOther: false)).html
    #expect(
      page.contains("counts 0.3 times in the sum; it rises because the other losses outweigh it"))
    #expect(!page.contains("0.30000000000000004"))
  }

  @Test func `a model without codes has no columns for them`() throws {
    var report = try SampleReport.json(withOther: false).objectValue ?? [:]
    report["codes"] = nil
    let page = ReportPage(.object(report)).html
    #expect(!page.contains("<th>codes</th>") && !page.contains("<th>why</th>"))
    #expect(try ReportPage(SampleReport.json(withOther: false)).html.contains("<th>why</th>"))
  }

  @Test func `the end of a run fits into ten lines`() throws {
    let tables = try ReportTables(SampleReport.json(withOther: false), path: "report.json")
    let lines = tables.brief.split(separator: "\n", omittingEmptySubsequences: false)
    // The path of the report is the tenth.
    #expect(lines.count == 9)
    #expect(lines[0].hasPrefix("four <users>: test split, 4 users, 8 items; NDCG@10 with the"))
    #expect(lines[2].hasPrefix("h2rec") && lines[2].contains("0.5833"))
    #expect(
      lines[3].hasPrefix("EASE") && lines[4].hasPrefix("item-kNN")
        && lines[7].hasPrefix("popularity"))
  }

  @Test func `titles of items cannot break the page`() throws {
    let page = try ReportPage(SampleReport.json(withOther: false)).html
    #expect(page.contains("&lt;b&gt;Item&lt;/b&gt; 0") && !page.contains("<b>Item"))
    #expect(!page.contains("Against the other run"))
  }

  @Test func `an example says what was given and why`() throws {
    let examples = try SampleReport.json(withOther: false)["examples"]?.arrayValue ?? []
    let first = try #require(examples.first)
    #expect(first["kind"]?.stringValue == "a rare item, found")
    #expect(first["user_id"]?.stringValue == "\"cy\"")
    #expect(first["truth"]?["rank"]?.numberValue == 1)
    let list = first["list"]?.arrayValue ?? []
    #expect(list.compactMap { $0["item_id"]?.stringValue } == ["i6", "i,4"])
    #expect(list[0]["isTruth"]?.boolValue == true)
    // Items 6 and 7 agree in both codes, and 7 is in the history.
    #expect(list[0]["because"]?["item_id"]?.stringValue == "i7")
    #expect(list[0]["because"]?["sharedLevels"]?.integerValue == 2)
    #expect(list[0]["words"]?.stringValue == "coffee")
  }

  @Test func `an example says how much attention the history gets`() throws {
    let report = try SampleReport.json(withOther: false)
    let first = try #require(report["examples"]?.arrayValue?.first)
    // "cy" has ten events, of which the model reads the last three; the last eight are shown, and item 7 is the seventh.
    let history = (first["history"]?.arrayValue ?? []).map {
      $0["attention"]?["hash"]?.numberValue ?? .nan
    }
    #expect(history.dropLast(3) == [0, 0, 0, 0, 0])
    #expect(zip(history.suffix(3), [1.0 / 6, 2.0 / 6, 3.0 / 6]).allSatisfy { abs($0 - $1) < 1e-7 })
    #expect(first["earlierAttention"]?["hash"]?.numberValue == 0)
    #expect(first["list"]?.arrayValue?[0]["because"]?["attention"]?["hash"]?.numberValue == 0)
    let page = ReportPage(report).html
    #expect(page.contains("<th>attention, hash branch</th>") && page.contains("<td>50.0 %</td>"))
    #expect(page.contains("everything before"))
  }
}
