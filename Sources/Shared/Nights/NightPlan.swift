public import ShardIO
public import SystemPackage

/// The command lines of a night: those of its template, and what makes it start from the published night.
public struct NightPlan: Sendable {
  /// Stands for the folder of the night in a template.
  public static let placeholder = "@NIGHT@"

  /// The words of each stage, in order: preprocess, tokenize (where there are codes), train, evaluate; the program first.
  public let template: [[String]]

  /// Checks a template.
  ///
  /// - Throws: `PipelineError` `.usage` if a stage is missing, or writes elsewhere than into the night.
  public init(_ template: [[String]]) throws(PipelineError) {
    self.template = template
    for stage in ["preprocess", "train", "evaluate"] where words(stage) == nil {
      throw PipelineError(
        .usage, "the command lines have no stage '\(stage)'",
        note: "give those of preprocess, tokenize, train and evaluate, '--then' before each")
    }
    for words in template
    where !words.contains(where: { $0.hasPrefix("--output=\(Self.placeholder)/") }) {
      throw PipelineError(
        .usage, "a stage does not write into the night: \(words.joined(separator: " "))",
        note: "its output is --output=\(Self.placeholder)/NAME")
    }
  }

  /// Whether the model has codes.
  public var hasCodes: Bool { words("tokenize") != nil }

  /// The words of a stage in the template.
  public func words(_ stage: String) -> [String]? { Self.words(stage, in: template) }

  /// The words of a stage in some template.
  public static func words(_ stage: String, in template: [[String]]) -> [String]? {
    template.first { FilePath($0.first ?? "").lastComponent?.string == "h2rec-\(stage)" }
  }

  /// Words with the folder of a night in place of the placeholder.
  public static func filled(_ words: [String], _ folder: FilePath) -> [String] {
    words.map { $0.replacing(placeholder, with: folder.string) }
  }

  /// Stage 1: with the text encoder of the published night, where that has one.
  public func preprocess(_ night: FilePath, encoder published: FilePath?) -> [String] {
    let words = Self.filled(words("preprocess") ?? [], night)
    guard let published, !words.contains(where: { $0.hasPrefix("--text-encoder") }) else {
      return words
    }
    return words + ["--text-encoder=\(published)/1-preprocess"]
  }

  /// Stage 2: codes from the codebooks of the published night, or learned anew with its names.
  ///
  /// - Parameters:
  ///   - night: the folder of the night.
  ///   - published: the folder of the published night; nil for codes from nothing.
  ///   - isFrozen: whether the codebooks stay.
  ///   - output: the folder of the codes in the night.
  /// - Returns: the words.
  public func tokenize(
    _ night: FilePath, from published: FilePath?, isFrozen: Bool, output: String = "2-tokenize"
  ) -> [String] {
    let words = Self.filled(words("tokenize") ?? [], night)
    guard let published else { return words }
    guard isFrozen else { return words + ["--align-to=\(published)/2-tokenize"] }
    return [words[0], "encode", "--codes=\(published)/2-tokenize"]
      + ["--data=\(night)/1-preprocess", "--output=\(night)/\(output)"] + Self.runWords(words)
  }

  /// The check of the codes of a night.
  ///
  /// - Parameters:
  ///   - night: the folder of the night.
  ///   - limits: options of `h2rec-tokenize lint`.
  /// - Returns: the words.
  public func lint(_ night: FilePath, _ limits: [String]) -> [String] {
    let program = words("tokenize")?.first ?? ""
    return [program, "lint", "\(night)/2-tokenize", "--data=\(night)/1-preprocess"] + limits
  }

  /// Stage 3: from the published model, or from nothing.
  public func train(_ night: FilePath, from published: FilePath?) -> [String] {
    Self.filled(words("train") ?? [], night) + Self.warmStart(published)
  }

  /// The published model on the new data, untrained: what the new one is compared with.
  ///
  /// - Parameters:
  ///   - words: how the published model was trained.
  ///   - night: the folder of the night.
  ///   - published: the folder of the published night.
  ///   - codes: the folder of the codes in the night that keep its names.
  /// - Returns: the words.
  public static func carry(
    _ words: [String], _ night: FilePath, from published: FilePath, codes: String
  ) -> [String] {
    filled(words, night).map { word in
      word.hasPrefix("--output=")
        ? "--output=\(night)/published/3-train"
        : word.hasPrefix("--codes=") ? "--codes=\(night)/\(codes)" : word
    } + ["--epochs=0"] + warmStart(published)
  }

  /// The evaluation of the published model.
  public func evaluatePublished(_ night: FilePath, codes: String) -> [String] {
    Self.filled(words("evaluate") ?? [], night).map { word in
      word.hasPrefix("--output=")
        ? "--output=\(night)/published/4-evaluate"
        : word.hasPrefix("--model=")
          ? "--model=\(night)/published/3-train"
          : word.hasPrefix("--codes=") ? "--codes=\(night)/\(codes)" : word
    }
  }

  /// Stage 4: with the comparison, where there is a published model.
  public func evaluate(_ night: FilePath, isCompared: Bool) -> [String] {
    Self.filled(words("evaluate") ?? [], night)
      + (isCompared ? ["--against=\(night)/published/4-evaluate"] : [])
  }

  private static func warmStart(_ published: FilePath?) -> [String] {
    published.map { ["--start-from=\($0)/3-train", "--start-data=\($0)/1-preprocess"] } ?? []
  }

  /// The options about threads and silence in some words.
  private static func runWords(_ words: [String]) -> [String] {
    var found: [String] = []
    for (place, word) in words.enumerated() {
      if word == "--quiet" || word.hasPrefix("--threads=") { found.append(word) }
      if word == "--threads", place + 1 < words.count { found += [word, words[place + 1]] }
    }
    return found
  }
}
