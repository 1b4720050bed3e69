import Dataset
import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing
import TextInput

@testable import Preprocess

struct `Sample` {
  private func shop(
    users: Int = 300, items: Int = 150, events: Int = 4000, seed: UInt64 = 1,
    in directory: FilePath
  ) throws {
    try SampleShop(userCount: users, itemCount: items, eventCount: events, seed: seed)
      .create(in: directory, isQuiet: true)
  }

  @Test func `equal options give equal bytes, another seed others`() throws {
    try withTemporaryDirectory { directory in
      for (name, seed) in [("a", 1), ("b", 1), ("c", 2)] as [(String, UInt64)] {
        try shop(seed: seed, in: directory.appending(name))
      }
      #expect(
        try contents(of: directory.appending("a")) == contents(of: directory.appending("b")))
      #expect(
        try contents(of: directory.appending("a"))["interactions.csv"]
          != contents(of: directory.appending("c"))["interactions.csv"])
    }
  }

  @Test(arguments: [(1, 10, 1), (7, 10, 20), (300, 150, 4000), (1000, 40, 1000)])
  func `has exactly the size that is asked for, in order of time`(
    users: Int, items: Int, events: Int
  ) throws {
    try withTemporaryDirectory { directory in
      try shop(users: users, items: items, events: events, in: directory)
      var settings = InteractionSettings()
      settings.threads = 1
      let log = try InteractionReader.read(
        [directory.appending("interactions.csv").string], settings)
      #expect(log.users.count == users)
      #expect(log.eventCount == events)
      let times = log.blocks.flatMap(\.times)
      #expect(times == times.sorted())
      let files = try contents(of: directory)
      #expect(files["item_ids.txt"]?.count { $0 == 10 } == items)
      #expect(files["items.jsonl"]?.count { $0 == 10 } == items)
      #expect(files["item_embeddings.npy"]?.count == 128 + items * 64 * 4)
    }
  }

  @Test func `the program preprocesses what it has written`() async throws {
    try await withTemporaryDirectory { directory in
      let sample = try await runStage(
        "h2rec-preprocess",
        [
          "sample", "--output", "shop", "--users", "300", "--items", "150", "--interactions",
          "4000",
        ], in: directory)
      #expect(sample.status == .exited(0) && sample.output.hasPrefix("{"))
      for threads in ["1", "2", "5"] {
        let result = try await runStage(
          "h2rec-preprocess",
          [
            "--interactions", "shop/interactions.csv", "--items", "shop/items.jsonl", "--vectors",
            "shop/item_embeddings.npy", "--vector-ids", "shop/item_ids.txt", "--output",
            "out\(threads)", "--threads", threads, "--quiet",
          ], in: directory)
        #expect(result.status == .exited(0) && result.error.isEmpty, "\(result.error)")
      }
      let outputs = try ["out1", "out2", "out5"].map { try contents(of: directory.appending($0)) }
      #expect(outputs[0] == outputs[1] && outputs[0] == outputs[2])
      let data = try PreprocessedData(
        StageInput(directory: directory.appending("out1"), expecting: "preprocess"))
      #expect(data.vectors?.width == 64)
      #expect(data.catalogue.titles.allSatisfy { !$0.isEmpty })
    }
  }

  @Test func `variants of a popular product share their vector, topics are directions`() {
    let world = SampleWorld(itemCount: 240, seed: 3)
    let vectors = (0..<240).map { world.vector(rank: $0) }
    let byVector = Dictionary(grouping: vectors.indices) { vectors[$0] }
    // 48 head items in 16 families, and 192 others.
    #expect(byVector.count == 16 + 192)
    #expect(byVector.values.allSatisfy { $0.count == ($0[0] < 48 ? 3 : 1) })
    var inside: [Float] = []
    var outside: [Float] = []
    for left in stride(from: 48, to: 240, by: 3) {
      for right in stride(from: left + 3, to: 240, by: 3) {
        let cosine = zip(vectors[left], vectors[right]).reduce(0) { $0 + $1.0 * $1.1 }
        if world.topic(rank: left) == world.topic(rank: right) {
          inside.append(cosine)
        } else {
          outside.append(cosine)
        }
      }
    }
    #expect(inside.reduce(0, +) / Float(inside.count) > 0.7)
    #expect(abs(outside.reduce(0, +) / Float(outside.count)) < 0.15)
  }

  @Test func `a popular item is followed by three of its own, a rare one by its topic`() {
    let world = SampleWorld(itemCount: 1200, seed: 3)
    for rank in [0, 17, 239] {
      let next = Set(
        (0..<50).map { world.next(after: rank, (0.5, Double($0) / 50, Double($0) / 50)) })
      #expect(next.count <= 3 && next.allSatisfy { $0 < 240 })
    }
    for rank in [240, 777, 1199] {
      let next = (0..<50).map { world.next(after: rank, (0.5, Double($0) / 50, 0.5)) }
      #expect(Set(next.map { world.topic(rank: $0) }).count == 1)
      #expect(next.allSatisfy { $0 >= 240 })
    }
  }
}
