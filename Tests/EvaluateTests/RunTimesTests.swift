import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Evaluate

@Suite struct RunTimesTests {
  @Test func `times come from the records of the stages, and what is not known is left out`() throws
  {
    try withTemporaryDirectory { directory in
      let data = directory.appending("1")
      let stage = try StageOutput(directory: data, stage: "preprocess")
      try stage.commit(
        configuration: [:], inputs: [], counters: [:],
        request: StageRequest(stage: "preprocess", output: data, configuration: [:]))
      let times = RunTimes(["preprocess": data, "train": directory.appending("3")]).json
      #expect(times.keys.sorted() == ["preprocess"])
      let entry = try #require(times["preprocess"])
      #expect((entry["seconds"]?.numberValue).map { (0...60).contains($0) } == true)
      #expect((entry["peakMegabytes"]?.integerValue).map { $0 > 0 } == true)
    }
  }

  @Test func `the time of a resumed training is that of all its processes`() throws {
    try withTemporaryDirectory { directory in
      let model = directory.appending("3")
      let stage = try StageOutput(directory: model, stage: "train")
      var request = StageRequest(stage: "train", output: model, configuration: [:])
      request.earlierWork = (seconds: 1000, step: 7)
      try stage.commit(configuration: [:], inputs: [], counters: [:], request: request)
      let entry = try #require(RunTimes(["train": model]).json["train"])
      #expect((entry["seconds"]?.numberValue).map { (1000..<1060).contains($0) } == true)
      #expect(entry["resumedStep"] == 7)
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
        "Digits, where those before are known", "Training", "Codes", "Examples", "Stage preprocess",
        "Stage train", "Times and memory",
        "Groups",
      ])
    #expect(text.contains("| overall | 0.5250 | 0.4750 |"))
    #expect(text.contains("2 (best so far)"))
    #expect(text.contains("\\<b\\>Item\\</b\\> 6 **(the truth)**, codes 1·3"))
    #expect(text.contains("(attention 0.5000 hash)"))
  }
}
