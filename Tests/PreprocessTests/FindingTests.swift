import Foundation
import ShardIO
import SystemPackage
import TestSupport
import Testing
import TextInput

@testable import Preprocess

/// Inputs that once stopped a reader, one folder a reader (see Fuzz/README.md).
struct `Findings of the fuzzers` {
  private static let folder = fixtureDirectory.appending("findings").string

  private static var names: [String] {
    ((try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.contains("/") }.sorted()
  }

  private static let formats: [String: LogFormat] = [
    "csv": .csv, "csv-without-header": .csv, "tsv": .tsv, "movielens": .movielens,
    "recbole": .recbole, "jsonl": .jsonl,
  ]

  @Test(arguments: names)
  func `each is read or refused`(name: String) throws {
    let path = "\(Self.folder)/\(name)"
    let reader = String(name.prefix { $0 != "/" })
    do throws(PipelineError) {
      switch reader {
      case "items":
        _ = try ItemReader.read(path, ItemSettings(template: TextTemplate(TextTemplate.usual)))
      case "numpy", "archive", "safetensors", "text-vectors":
        let vectors = try VectorReader(vectors: path, idList: nil, field: nil)
        let count = vectors.ids.count
        _ = try vectors.read((0..<UInt32(count)).map { $0 }, count: count)
      case "vector-ids":
        _ = try VectorReader(vectors: "/dev/null", idList: path, field: nil)
      default:
        var settings = InteractionSettings()
        settings.format = Self.formats[reader]
        settings.hasHeader = reader != "csv-without-header"
        settings.skipsBadRows = true
        _ = try InteractionReader.read([path], settings)
      }
    } catch {
      #expect(error.kind != .internalError)
    }
  }
}
