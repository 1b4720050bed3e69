import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Evaluate

@Suite struct RunTimesTests {
  @Test func `the last line of a stage counts, and what is not known is left out`() throws {
    try withTemporaryDirectory { directory in
      let line = #"{"stage":"preprocess","seconds":1.25,"peakMegabytes":77,"output":"x"}"#
      try write(Array("a table\n\(line)\n".utf8), to: directory.appending("preprocess.json"))
      try write([], to: directory.appending("tokenize.json"))
      try write(
        Array(#"{"stage":"tokenize","seconds":9}"#.utf8), to: directory.appending("train.json"))
      let times = try RunTimes(directory)
      #expect(times.json == ["preprocess": ["seconds": 1.25, "peakMegabytes": 77]])
    }
  }

  @Test func `a folder without summaries is refused`() throws {
    try withTemporaryDirectory { directory -> Void in
      #expect(
        throws: PipelineError(
          .missingInput, "no summaries of stages", at: .init(path: directory.string),
          note:
            "expected preprocess.json, tokenize.json or train.json with what these programs print"
        )
      ) { try RunTimes(directory) }
    }
  }

  @Test func `the run card says what is known and what is not`() throws {
    var report = try SampleReport.json(withOther: false)
    let page = ReportPage(report).html
    #expect(page.contains("<tr><th scope=\"row\">preprocess</th><td>1.5</td><td>2,048</td></tr>"))
    #expect(page.contains("<tr><th scope=\"row\">train</th><td>not known</td>"))
    let text = try ReportTables(report, path: "x").markdown(of: report)
    #expect(text.contains("| preprocess | 1.5000 | 2048 |"))
    #expect(text.contains("| train | not known | not known |"))
    var members = report.objectValue ?? [:]
    members["times"] = nil
    report = .object(members)
    #expect(ReportPage(report).html.contains("Times and memory are not known"))
    #expect(try ReportTables(report, path: "x").markdown(of: report).contains("Not known"))
  }

  @Test func `report.md has the numbers of every part of the report`() throws {
    let report = try SampleReport.json(withOther: true)
    let text = try ReportTables(report, path: "x").markdown(of: report)
    let headings = text.matches(of: /(?m)^## (.*)$/).map { String($0.1) }
    #expect(
      headings.dropFirst(4) == [
        "Lists", "The model minus what needs no training, full ranking", "95 % intervals",
        "Against the other run", "Gate: weight of each level",
        "Training", "Codes", "Examples", "Stage preprocess", "Stage train", "Times and memory",
        "Groups",
      ])
    #expect(text.contains("| overall | 0.5250 | 0.4750 |"))
    #expect(text.contains("2 (best so far)"))
    #expect(text.contains("\\<b\\>Item\\</b\\> 6 **(the truth)**, codes 1·3"))
    #expect(text.contains("(attention 0.5000 hash)"))
  }
}
