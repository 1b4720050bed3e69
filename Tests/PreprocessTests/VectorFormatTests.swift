import Dataset
import Foundation
import ShardIO
import SystemPackage
import TestSupport
import Testing
import TextInput

@testable import Preprocess

/// Every format of vectors gives the same matrix; what is damaged is refused.
struct `Formats of vectors` {
  /// Items b, c and d.
  private static let expected = ItemVectors(values: [0, 1, 2, 3, 4, 5], width: 2)

  private func read(
    _ bytes: [UInt8], ids: String? = nil, field: String? = nil
  ) throws -> ItemVectors {
    try withTemporaryDirectory { directory in
      try write(bytes, to: directory.appending("vectors"))
      if let ids { try write(Array(ids.utf8), to: directory.appending("ids")) }
      let reader = try VectorReader(
        vectors: directory.appending("vectors").string,
        idList: ids == nil ? nil : directory.appending("ids").string, field: field)
      let targets = (0..<UInt32(reader.ids.count)).map { row in
        ["b", "c", "d"].firstIndex(of: reader.ids.text(row)).map { UInt32($0) }
      }
      return try reader.read(targets, count: 3)
    }
  }

  @Test(arguments: [
    "id,x,y\nb,0,1\nc,2,3\nd,4,5\n", "b\t0\t1\nc\t2\t3\nd\t4\t5e0", "d 4 5\nc 2 3.0\nb 0 1\n",
    #"{"item_id":"b","vector":[0,1]}"# + "\n\n" + #"{"asin":"c","embedding":[2,3]}"# + "\n"
      + #"{"item_id":"d","values":[4,5.0]}"#,
  ])
  func `text, with an id in each row`(text: String) throws {
    #expect(try read(Array(text.utf8)) == Self.expected)
  }

  @Test func `a deflated .npz archive with its ids`() throws {
    let archive = try #require(Data(base64Encoded: Self.archive))
    #expect(try read(Array(archive)) == Self.expected)
    #expect(try read(Array(archive), ids: "d\nc\nb\n").values == [4, 5, 2, 3, 0, 1])
    #expect(try read(Array(archive), field: "emb") == Self.expected)
    #expect(throws: PipelineError.self) { try read(Array(archive), field: "other") }
  }

  /// A safetensors file of two tensors.
  private var tensors: [UInt8] {
    let header =
      #"{"__metadata__":{},"a":{"dtype":"F32","shape":[3,2],"data_offsets":[0,24]},"#
      + #""h":{"dtype":"BF16","shape":[3,2],"data_offsets":[24,36]}}"#
    let numbers = (0..<6).flatMap { number in
      [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: Float(number).bitPattern >> UInt32($0)) }
    }
    let halves = (0..<6).flatMap { number in
      [16, 24].map { UInt8(truncatingIfNeeded: Float(number).bitPattern >> UInt32($0)) }
    }
    return [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8) + numbers + halves
  }

  @Test func `safetensors`() throws {
    #expect(try read(tensors, ids: "b\nc\nd\n", field: "a") == Self.expected)
    #expect(try read(tensors, ids: "b\nc\nd\n", field: "h") == Self.expected)
    #expect(throws: PipelineError.self) { try read(tensors, ids: "b\nc\nd\n") }
    #expect(throws: PipelineError.self) { try read(tensors, field: "a") }
  }

  @Test func `damaged files are refused, never a trap`() throws {
    let archive = Array(try #require(Data(base64Encoded: Self.archive)))
    try withEvery("seed", in: 0..<300) { seed in
      var random = SeededGenerator(seed: seed)
      for (whole, field) in [(archive, "emb"), (tensors, "a")] {
        var bytes = whole
        if Bool.random(using: &random) {
          bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
        } else {
          let place = Int.random(in: 0..<bytes.count, using: &random)
          bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        }
        _ = try? read(bytes, ids: "b\nc\nd\n", field: field)
      }
    }
  }

  @Test(arguments: [
    ("b,1,2\nc,1\n", "the vector has 1 numbers, expected 2"),
    ("b,1,2\nc,1,x\n", "number 2 of the vector is not a number up to 1e15"),
    ("b,1,2\nc,1,2e19\n", "number 2 of the vector is not a number up to 1e15"),
    ("b,1,2\nb,1,2\n", "the id 'b' is there twice"), ("b,1,2\n,1,2\n", "the row has no item id"),
    ("b,1,2\n{\n", "this is not JSON, expected a name here"),
  ])
  func `bad rows are told`(text: String, message: String) throws {
    do throws(PipelineError) {
      _ = try PipelineError.catching { try read(Array(text.utf8)) }
      Issue.record("it was read")
    } catch {
      #expect(error.message == message)
      #expect(error.location?.line == 2)
    }
  }

  /// `numpy.savez_compressed(emb=numpy.arange(6, dtype='f8').reshape(3, 2), ids=numpy.array([b'b', b'c', b'd']))`.
  private static let archive =
    "UEsDBC0AAAAIAAAAIQCOE9Q0//////////8HABQAZW1iLm5weQEAEACwAAAAAAAAAFcAAAAAAAAAm+wX6hsQychQxlCt"
    + "npJanFykbqWgbpNmoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaxjoKRpo6CrUKZAMuBhTwwR7KcIBQHFBa"
    + "AEqLOAAAUEsDBC0AAAAIAAAAIQCeTXy+//////////8HABQAaWRzLm5weQEAEACDAAAAAAAAAEcAAAAAAAAAm+wX6hsQ"
    + "ychQxlCtnpJanFykbqWgXhNsqK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaxjqaOgq1ChQArqTkFABQSwEC"
    + "LQMtAAAACAAAACEAjhPUNFcAAACwAAAABwAAAAAAAAAAAAAAgAEAAAAAZW1iLm5weVBLAQItAy0AAAAIAAAAIQCeTXy+"
    + "RwAAAIMAAAAHAAAAAAAAAAAAAACAAZAAAABpZHMubnB5UEsFBgAAAAACAAIAagAAABABAAAAAA=="
}

extension PipelineError {
  /// Runs a body and gives its `PipelineError` the type that it has.
  static func catching<Value>(_ body: () throws -> Value) throws(PipelineError) -> Value {
    do {
      return try body()
    } catch let error as PipelineError {
      throw error
    } catch {
      throw PipelineError(.internalError, "\(error)")
    }
  }
}
