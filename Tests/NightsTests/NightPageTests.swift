import ShardIO
import SystemPackage
import TestSupport
import Testing

@testable import Nights

struct `What a night tells others` {
  private let record = NightRecord(
    isPublished: false, reasons: ["tail: NDCG@10 fell by 3.0 %"],
    template: [["bin/h2rec-preprocess", "--data-folder=/data/shop"]], isWarm: true,
    hasFrozenCodes: true, figures: [:])

  @Test func `an event of a refused night has its reasons and no outputs`() {
    let folder = NightFolder("/srv/run")
    let event = folder.lineage("2026-11-30T03-00-00Z", record, now: 1_796_007_660)
    #expect(event["eventType"] == "FAIL" && event["eventTime"] == "2026-11-30T03:01:00Z")
    #expect(event["inputs"]?.arrayValue?.first?["name"] == "/data/shop")
    #expect(event["outputs"] == [])
    #expect(
      event["run"]?["facets"]?["errorMessage"]?["message"] == "tail: NDCG@10 fell by 3.0 %")
    let id = event["run"]?["runId"]?.stringValue ?? ""
    #expect(
      id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}/) != nil,
      "\(id)")
    #expect(
      id != folder.lineage("2026-11-30T03-00-01Z", record, now: 0)["run"]?["runId"]?.stringValue)
  }

  @Test func `curves and table have every night, and refused ones are marked`() {
    func night(_ name: String, _ value: Double, _ isPublished: Bool) -> JSONValue {
      [
        "event": "night", "night": .string(name), "published": .bool(isPublished),
        "reasons": isPublished ? [] : ["<b>tail</b>"], "ndcg@10 overall": .number(value),
        "seconds": 12.0, "bytes": 1000, "interval overall": [.number(value / 2), .number(value)],
        "carriedItems": ["borrowedItems": 3, "freshItems": 1, "droppedItems": 2],
      ]
    }
    let lines = [
      night("2026-11-29T03-00-00Z", 0.25, true), night("2026-11-30T03-00-00Z", 0.125, false),
      ["event": "rollback", "from": "a", "to": "b", "time": "2026-11-30T09-00-00Z"],
    ]
    let page = NightPage(title: "shop", lines, kept: ["2026-11-30T03-00-00Z"])
    let html = page.html
    #expect(html.contains("0.2500") && html.contains("refused") && html.contains("rolled back"))
    #expect(html.contains("<a href=\"runs/2026-11-30T03-00-00Z/night.html\">"))
    #expect(!html.contains("href=\"runs/2026-11-29"))
    // Two intervals, and items that come and go.
    #expect(html.ranges(of: "class=\"whisker\"").count == 2)
    #expect(html.contains("Change of the catalogue") && html.contains(">4.00</text>"))
    #expect(!html.contains("<b>tail") && html.contains("&lt;b&gt;tail"))
    let text = page.prometheus(published: "2026-11-29T03-00-00Z", now: 1_796_007_600)
    #expect(
      text.contains("\nh2rec_night_published 0.0\n") || text.contains("\nh2rec_night_published 0\n")
    )
    #expect(text.contains("\nh2rec_published_age_seconds 86400.0\n"))
    #expect(text.hasSuffix("\n") && !text.contains("\n\n"))
    #expect(NightPage(title: "x", []).prometheus(published: nil, now: 0).isEmpty)
  }
}
