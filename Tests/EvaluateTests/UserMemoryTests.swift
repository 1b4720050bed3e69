import ShardIO
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// What a user costs, from the program's own measure of its peak memory.
@Suite struct UserMemoryTests {
  /// Evaluates a shop and writes lists of 200 for all users.
  ///
  /// - Returns: the number of users, and the peak memory in bytes.
  private func evaluate(users: Int) async throws -> (users: Int, peak: Int) {
    try await withTemporaryDirectory { directory in
      var outputs: [String] = []
      let evaluation = "--data 1 --model 3 --output 4 --resamples 0 --recommend 200"
      for (stage, arguments) in [
        (
          "preprocess",
          "sample --output shop --users \(users) --items 400 --interactions \(6 * users)"
        ),
        (
          "preprocess",
          "--interactions shop/interactions.csv --user-core 3 --pairs none --negatives 10 --output 1"
        ),
        (
          "train",
          """
          sasrec --data 1 --hash-init random --dimension 8 --layers 1 --max-length 8 --epochs 1 --loss bce \
          --validation-users 10 --output 3
          """
        ),
      ] + [(String, String)](repeating: ("evaluate", evaluation), count: 3) {
        let words = arguments.split(separator: " ").map(String.init)
        let result = try await runStage(
          "h2rec-\(stage)",
          words + ["--threads", "2", "--quiet"].suffix(words[0] == "sample" ? 1 : 3),
          in: directory, environment: ["MALLOC_ARENA_MAX": "1"])
        try #require(result.status == .exited(0), "\(result.error)")
        outputs.append(result.output)
      }
      // The smallest peak of three runs, with one arena: beside other programs, threads keep more of what they have freed.
      let summaries = try outputs.suffix(3).map {
        try JSONValue(parsing: Array($0.utf8), path: "summary")
      }
      let count = try #require(summaries[0]["recommendedUsers"]?.integerValue)
      let peaks = try summaries.map { try #require($0["peakMegabytes"]?.integerValue) }
      let peak = try #require(peaks.min())
      return (Int(count), Int(peak) << 20)
    }
  }

  // Both shops fill more than one block of 8,192 users, so what a block takes is no part of the difference. One list of 200
  // items and scores that were kept would take 1,600 bytes, and so would one row of 400 scores.
  @Test func `a user costs less memory than a kept list or a row of scores would`() async throws {
    let small = try await evaluate(users: 9000)
    let large = try await evaluate(users: 21_000)
    #expect(small.users > 8192)
    let bytesPerUser = Double(large.peak - small.peak) / Double(large.users - small.users)
    #expect(bytesPerUser < 800, "\(small) \(large)")
  }
}
