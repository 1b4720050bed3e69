import ArgumentParser
import Dataset
import ShardIO
import Testing
import Training

@testable import CommandSupport
@testable import Models
@testable import Train

/// The one list of an options type says everything: what is on the command line, and what is in a manifest.
@Suite struct OptionFieldTests {
  // MARK: - The list is whole

  /// The names of all properties of options that are on the command line, those of groups included.
  private func declared(_ options: Any) -> [String] {
    Mirror(reflecting: options).children.flatMap { child -> [String] in
      if let group = child.value as? any OptionGroupHolder { return declared(group.held) }
      guard child.value is any OptionHolder, let label = child.label else { return [] }
      // A property wrapper's storage.
      return [String(label.drop { $0 == "_" })]
    }
  }

  private func requireWhole<Options: ConfiguredOptions>(_ type: Options.Type) throws {
    let names = declared(try Options.parse([]))
    #expect(!names.isEmpty, "\(type)")
    #expect(names.sorted() == Options.fields.map(\.key).sorted(), "\(type)")
  }

  @Test func `every option of a model has its field, and every field its option`() throws {
    for recipe in modelRecipes { try requireWhole(optionsOf: recipe) }
  }

  private func requireWhole<Recipe: ModelRecipe>(optionsOf recipe: Recipe.Type) throws {
    try requireWhole(Recipe.Options.self)
  }

  @Test func `so have the options of every group and of the training`() throws {
    try requireWhole(AttentionOptions.self)
    try requireWhole(CrossOptions.self)
    try requireWhole(NextItemLossOptions.self)
    try requireWhole(ScheduleOptions.self)
    try requireWhole(CheckpointOptions.self)
  }

  // MARK: - The command line

  /// The words that each option of a command takes, none where it takes a number, by the option's name.
  private func commandLine<Recipe: ModelRecipe>(
    of recipe: Recipe.Type
  ) throws -> [String: [String]] {
    let help = try JSONValue(parsing: Array(ModelCommand<Recipe>._dumpHelp().utf8), path: "help")
    let arguments = try #require(help["command"]?["arguments"]?.arrayValue)
    var result: [String: [String]] = [:]
    for argument in arguments {
      for name in argument["names"]?.arrayValue ?? [] {
        result[name["name"]?.stringValue ?? ""] =
          argument["allValues"]?.arrayValue?.compactMap(\.stringValue) ?? []
      }
    }
    return result
  }

  @Test func `the name of every field is that of an option of the model's command`() throws {
    for recipe in modelRecipes { try requireNames(recipe) }
  }

  private func requireNames<Recipe: ModelRecipe>(_ recipe: Recipe.Type) throws {
    let options = Set(try commandLine(of: recipe).keys)
    let names =
      Recipe.Options.fields.map(\.optionName) + ScheduleOptions.fields.map(\.optionName)
      + CheckpointOptions.fields.map(\.optionName)
    #expect(Set(names).subtracting(options) == [], "\(Recipe.name)")
    #expect(Set(names).count == names.count, "\(Recipe.name)")
  }

  // MARK: - Manifests

  @Test func `options come back from a manifest as they went in`() throws {
    for recipe in modelRecipes { try requireRoundTrip(recipe) }
  }

  private func requireRoundTrip<Recipe: ModelRecipe>(_ recipe: Recipe.Type) throws {
    let defaults = try Recipe.Options.parse([])
    for codes in [nil, codes] {
      var options = defaults
      options.resolve(ModelData(itemCount: 6, codes: codes))
      try requireSame(options, defaults, Recipe.name)
    }
    // Every option alone with another value than its own.
    let words = try commandLine(of: recipe)
    for field in Recipe.Options.fields {
      for value in values(field, words, defaults) {
        var options = defaults
        #expect(field.write(&options, value), "\(field.key) \(value)")
        try requireSame(options, defaults, "\(Recipe.name) \(field.key) \(value)")
        #expect(text(field.read(options)) == text(value), "\(field.key)")
      }
    }
  }

  /// Every word of a choice, or some numbers in the range of the option.
  private func values<Options: ConfiguredOptions>(
    _ field: OptionField<Options>, _ words: [String: [String]], _ defaults: Options
  ) -> [JSONValue] {
    if let choices = words[field.optionName], !choices.isEmpty {
      return choices.map { .string($0) }
    }
    let numbers: [JSONValue] = [1, 2, 3, 0.5, 0.3, 0.07].filter { value in
      var options = defaults
      return field.write(&options, value) && field.problem(options) == nil
    }
    #expect(numbers.count > 1, "\(field.key) takes no number that is tried")
    return numbers
  }

  /// Writes and reads a manifest.
  private func requireSame<Options: ConfiguredOptions>(
    _ options: Options, _ defaults: Options, _ what: String
  ) throws {
    let bytes = try JSONValue.object(options.configuration).json()
    let entries = try #require(try JSONValue(parsing: bytes, path: "manifest").objectValue)
    let read = try Options(entries, over: defaults, path: "manifest")
    #expect(
      text(.object(read.configuration)) == text(.object(options.configuration)), "\(what)")
  }

  /// As text, since a number without a fraction is read back as an integer.
  private func text(_ value: JSONValue) -> String {
    (try? value.json()).map { String(decoding: $0, as: UTF8.self) } ?? "?"
  }

  @Test func `an entry that shapes the model must be there, and every entry must be possible`()
    throws
  {
    var entries = try SASRec.Options.parse([]).configuration
    entries["dropout"] = nil
    #expect(try SASRec.Options(entries, path: "m").network.dropout == 0.5)
    entries["layers"] = nil
    #expect(
      throws: PipelineError(
        .dataFormat, "configuration entry 'layers' is missing", at: .init(path: "m"),
        note: "run the stage again with this version of the programs")
    ) { try SASRec.Options(entries, path: "m") }
    for value: JSONValue in [0, 65, "two", 1.5, .null] {
      entries["layers"] = value
      #expect(
        throws: PipelineError(
          .dataFormat, "configuration entry 'layers' has a value that it cannot have",
          at: .init(path: "m"), note: "run the stage again with this version of the programs")
      ) { try SASRec.Options(entries, path: "m") }
    }
  }

  private var codes: ItemCodes {
    ItemCodes(
      levelSizes: [2, 3], codes: (0..<6).flatMap { [UInt16($0 % 2), UInt16($0 / 2)] },
      codebooks: [Float](repeating: 0, count: 5), width: 1,
      usage: [UInt32](repeating: 1, count: 5), center: [0])
  }
}

/// An option or a flag, of any type.
private protocol OptionHolder {}
extension Option: OptionHolder {}
extension Flag: OptionHolder {}

/// A group of options, of any type.
private protocol OptionGroupHolder {
  var held: Any { get }
}
extension OptionGroup: OptionGroupHolder {
  var held: Any { wrappedValue }
}
