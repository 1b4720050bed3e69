internal import Foundation
internal import ShardIO
internal import Subprocess
internal import SystemPackage
internal import TestSupport
internal import Testing

/// Tables with right checksums that do not fit together: whoever wrote them, they are read or refused, and nothing traps.
@Suite(.serialized) struct TableMutationTests {
  private static let isLong = ProcessInfo.processInfo.environment["H2REC_LONG"] != nil
  /// One change in so many is tried, all with `H2REC_LONG`.
  private static let stride = isLong ? 1 : 37

  /// A change of a column of a table of a stage.
  private struct Change: CustomStringConvertible {
    var stage: Int
    var table: Table
    var column: Int
    var mutation: TableMutation
    var description: String {
      "\(stageNames[stage]) \(table.kind) \(table.columns[column].name) \(mutation)"
    }
  }

  @Test(.timeLimit(.minutes(60)))
  func `no change of any column of any table makes a program trap`() async throws {
    try await withTemporaryDirectory { directory in
      let run = try await TinyRun(in: directory)
      var statuses: [Int32: Int] = [:]
      for (number, change) in try changes(run).enumerated()
      where number % Self.stride == 7 % Self.stride {
        for status in try await check(change, run) { statuses[status, default: 0] += 1 }
      }
      #expect(statuses[65, default: 0] > (Self.isLong ? 300 : 7), "\(statuses)")
    }
  }

  @Test func `vectors too large to be squared are refused with table, row and rule`() async throws {
    try await withTemporaryDirectory { directory in
      let run = try await TinyRun(in: directory)
      let data = directory.appending("1-preprocess")
      let table = try StageInput(directory: data, expecting: "preprocess").table("vectors")
      let change = try #require(TableMutation.huge.apply(to: table, column: 0))
      _ = try replaceTable(in: data, stage: "preprocess", with: change)
      let result = try await runStage(
        "h2rec-tokenize", TinyRun.arguments(1, "out"), in: run.directory)
      #expect(result.status == .exited(65))
      #expect(
        result.error == """
          h2rec-tokenize: 1-preprocess: error: table 'vectors', row \(table.rowCount - 1): found 1e+20 in 'vector', \
          expected at most 1e+15 in magnitude
          note: the tables were not written together, or not by this program; run the stage again

          """)
    }
  }

  @Test
  func `vectors too small to be squared are refused, and others give the same codes at any scale`()
    async throws
  {
    try await withTemporaryDirectory { directory in
      let run = try await TinyRun(in: directory)
      let expected = try contents(of: directory.appending("2-tokenize"))
      let data = directory.appending("1-preprocess")
      let table = try StageInput(directory: data, expecting: "preprocess").table("vectors")
      let vectors = try table.fixed("vector", as: Float.self)
      for scale in [1e-25, 1e-22, 1e-15, 0x1p-30, 0x1p+30] as [Float] {
        let column = Column(
          name: "vector", shape: .fixed, width: table.columns[0].width,
          values: .float(vectors.map { $0 * scale }))
        _ = try replaceTable(
          in: data, stage: "preprocess",
          with: Table(kind: "vectors", rowCount: table.rowCount, columns: [column]))
        let result = try await runStage(
          "h2rec-tokenize", TinyRun.arguments(1, "out"), in: run.directory)
        guard scale < 1e-12 else {
          #expect(result.status == .exited(0), "\(scale): \(result.error)")
          let codes = try contents(of: directory.appending("out"))["codes.csv"]
          #expect(codes == expected["codes.csv"], "\(scale)")
          continue
        }
        #expect(result.status == .exited(65), "\(scale): \(result.error)")
        #expect(result.error.contains("1e-12"), "\(result.error)")
        #expect(!FileManager.default.fileExists(atPath: directory.appending("out").string))
      }
    }
  }

  /// All changes of all tables of all stages.
  private func changes(_ run: TinyRun) throws -> [Change] {
    var changes: [Change] = []
    for (place, stage) in stageNames.enumerated() {
      let input = try StageInput(
        directory: run.directory.appending(TinyRun.outputs[place]), expecting: stage)
      let kinds = Set(input.manifest.outputs.filter { $0.rows != nil }.map(\.kind)).sorted()
      for kind in kinds {
        let table = try input.table(kind)
        for column in table.columns.indices {
          for mutation in TableMutation.allCases {
            changes.append(Change(stage: place, table: table, column: column, mutation: mutation))
          }
        }
      }
    }
    return changes
  }

  /// Runs every program that reads the changed output.
  ///
  /// - Returns: the statuses; none where the change means nothing.
  private func check(_ change: Change, _ run: TinyRun) async throws -> [Int32] {
    guard let table = change.mutation.apply(to: change.table, column: change.column) else {
      return []
    }
    let directory = run.directory.appending("changed")
    let manager = FileManager.default
    try? manager.removeItem(atPath: directory.string)
    try manager.createDirectory(atPath: directory.string, withIntermediateDirectories: false)
    for name in TinyRun.outputs {
      try manager.copyItem(
        atPath: run.directory.appending(name).string, toPath: directory.appending(name).string)
    }
    try replace(table, change.stage, directory)
    var statuses: [Int32] = []
    for (stage, more) in readers(of: change.stage) {
      let program = "h2rec-\(stageNames[stage])"
      let result = try await runStage(
        program, TinyRun.arguments(stage, "out", more), in: directory)
      guard case .exited(let status) = result.status, [0, 65, 78].contains(status) else {
        Issue.record("\(change), \(program) \(more): \(result.status): \(result.error)")
        continue
      }
      statuses.append(status)
      let errors = result.error.components(separatedBy: "error: ").count - 1
      #expect(errors == (status == 0 ? 0 : 1), "\(change): \(result.error)")
      let isWritten = manager.fileExists(atPath: directory.appending("out").string)
      #expect(isWritten == (status == 0), "\(change)")
      try? manager.removeItem(atPath: directory.appending("out").string)
    }
    return statuses
  }

  /// The stages that read the tables of a stage, with the options by which they do.
  private func readers(of stage: Int) -> [(stage: Int, more: [String])] {
    switch stage {
    case 0: [(1, []), (2, []), (3, [])]
    case 1: [(1, ["encode", "--codes", TinyRun.outputs[1]]), (2, []), (3, [])]
    case 2: [(3, [])]
    default: [(3, ["--against", TinyRun.outputs[3]])]
    }
  }

  /// Replaces a table, and what the later stages recorded of its stage.
  private func replace(_ table: Table, _ stage: Int, _ directory: FilePath) throws {
    var references = [
      stageNames[stage]: try replaceTable(
        in: directory.appending(TinyRun.outputs[stage]), stage: stageNames[stage], with: table)
    ]
    for later in (stage + 1)..<4 {
      let path = directory.appending(TinyRun.outputs[later])
      var manifest = try StageInput(directory: path, expecting: stageNames[later]).manifest
      manifest.inputs = manifest.inputs.map { references[$0.stage] ?? $0 }
      references[stageNames[later]] = try replaceManifest(in: path, manifest)
    }
  }
}
