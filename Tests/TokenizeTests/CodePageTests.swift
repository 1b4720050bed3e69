import Dataset
import Foundation
import Numerics
import Testing

@testable import Tokenize

struct `Code descriptions` {
  private func described(_ titles: [String], _ codes: [UInt16]) -> [CodeDescription] {
    var shop = catalogue(titles.count)
    shop.titles = titles
    let items = TokenizedItems(
      levelSizes: [3], codes: codes, codebooks: [Matrix(rows: 3, columns: 1)], center: [0],
      variance: 1, residuals: [0])
    return CodeDescriptions(shop).describe(items, level: 0, limit: 10)
  }

  @Test func `name the words that tell a code from the catalogue, most used code first`() {
    let found = described(
      ["Red silk scarf", "Blue silk scarf", "Iron pan red", "Iron pot", "Green silk scarf"],
      [2, 2, 0, 0, 2])
    #expect(found.map(\.code) == [2, 0] && found.map(\.usage) == [3, 2])
    #expect(found[0].words.prefix(2) == ["scarf", "silk"])
    #expect(found[1].words.first == "iron")
    // Items 0, 1 and 4 are even, odd and even.
    #expect(found[0].category == "even" && found[0].categoryShare == 2.0 / 3)
  }

  @Test func `words are runs of three or more letters and digits`() {
    #expect(splitWords("USB-C 3.0 cable, 24in; x2 Étui") == ["usb", "cable", "24in", "étui"])
  }
}

struct `Code page` {
  @Test func `titles cannot inject markup`() throws {
    var shop = catalogue(4)
    shop.titles = ["<script>alert(1)</script>", "a \"b\" & c", "", "d"]
    let vectors = Matrix(rows: 4, columns: 2, values: [0, 0, 0, 0, 1, 1, 2, 0])
    let items = try learn(RQKMeans.self, vectors, "--codebooks 3 --pca 0")
    let report = CodeReport(items, shop, vectors, threads: 1)
    let html = CodePage(report: report).html
    #expect(!html.contains("<script") && html.contains("&lt;script&gt;"))
    #expect(html.contains("a &quot;b&quot; &amp; c"))
    #expect(html.components(separatedBy: "<circle").count == 5)
  }
}
