import Dataset
import Page
import ShardIO
import SystemPackage

extension PipelineError {
  static func noVectorsOfModel(_ model: String, command: String) -> PipelineError {
    PipelineError(
      .configuration, "the model '\(model)' has no vectors, which '\(command)' is about",
      note: "choose a model that scores by inner products")
  }

  static func noListsOfPairs() -> PipelineError {
    PipelineError(
      .configuration, "this model scores pairs of user and candidate and makes no lists",
      note: "leave out --recommend")
  }

  /// A vector of the model has an element that is not a number.
  static func modelNotFinite(_ what: String) -> PipelineError {
    PipelineError(
      .dataFormat, "the model gives \(what) vectors that are not finite",
      note: "the training diverged; train again with a smaller learning rate")
  }

  /// No user can be evaluated.
  static func noTargets(_ split: Split) -> PipelineError {
    PipelineError(
      .configuration, "no user has a \(split.rawValue) target",
      note: "use data with more events a user, or preprocess with another --split")
  }

  /// A list longer than the catalogue was asked for.
  static func listTooLong(
    _ option: String, _ count: Int, catalogue: Int
  ) -> PipelineError {
    PipelineError(
      .configuration, "found '\(option) \(count)', there are \(catalogue) items to choose from")
  }

  /// The model needs codes and none were given.
  static func codesMissing(stage: String) -> PipelineError {
    PipelineError(
      .usage, "the model was trained with codes, and '--codes' is not given",
      note: "give the output directory of the \(stage) stage with '--codes'")
  }

  /// A report.json has not the form of a report of this version.
  static func notAReport(_ path: String) -> PipelineError {
    PipelineError(
      .dataFormat, "this is no report of format \(EvaluationReport.formatVersion)",
      at: .init(path: path), note: "evaluate again with this version of the program")
  }

  /// A list without runs of the model that others are compared with.
  static func noRunsOfModel(_ model: String, _ list: FilePath) -> PipelineError {
    PipelineError(
      .configuration, "there is no run of the model \(quoted(model))",
      at: .init(path: list.string), note: "'--against' names one of the models of the list")
  }

  /// A list of runs in another form.
  static func notAList(_ list: FilePath, _ problem: String) -> PipelineError {
    PipelineError(
      .dataFormat, "this is no list of runs: \(problem)", at: .init(path: list.string),
      note: "'h2rec-evaluate results --help' shows the form; 'make results' writes one")
  }

  /// A run without metrics at 10.
  static func notCutAtTen(_ directory: FilePath) -> PipelineError {
    PipelineError(
      .configuration, "this run has no metrics at 10", at: .init(path: directory.string),
      note: "evaluate it with 10 among the '--cutoffs'")
  }

  /// Two runs that are to be compared saw different test sets.
  static func otherTestSet(_ directory: FilePath) -> PipelineError {
    PipelineError(
      .configuration, "this run was evaluated on other data, another split or other users",
      at: .init(path: directory.appending("manifest.json").string),
      note: "'--against' needs a run on the same preprocess output and the same '--split'")
  }

  /// The filters let no item pass.
  static func noItemsLeft() -> PipelineError {
    PipelineError(
      .configuration, "no item of the catalogue passes the filters",
      note: "look at --allow-items, --block-items, --category and --newer-than")
  }

  /// An option needs text vectors and the data have none.
  static func noVectors(_ option: String) -> PipelineError {
    PipelineError(
      .configuration, "'\(option)' needs text vectors, and the preprocess output has none",
      note: "run h2rec-preprocess with --vectors and --vector-ids")
  }

  /// A list of users names one that the data do not have.
  static func unknownUser(_ id: String, others: Int, path: String, line: Int) -> PipelineError {
    PipelineError(
      .dataFormat, "the data have no user \(quoted(id))", at: .init(path: path, line: line),
      note: others == 0
        ? "give new users with --recommend-histories"
        : "and \(others) more of the file; give new users with --recommend-histories")
  }

  /// A line of a file of histories has another form.
  static func notAHistory(_ path: String, line: Int) -> PipelineError {
    PipelineError(
      .dataFormat, "this line is no history", at: .init(path: path, line: line),
      note: #"expected {"user_id": "…", "items": ["…", …]}"#)
  }

  /// A model has not the branch whose space was asked for.
  static func noBranch(_ space: String, model: String) -> PipelineError {
    PipelineError(
      .configuration, "found '--space \(space)', the model '\(model)' has no such branch",
      note: "use '--space joint'")
  }

  /// New items were given to a model without codes.
  static func newItemsNeedCodes(model: String) -> PipelineError {
    PipelineError(
      .configuration, "found '--new-items', the model '\(model)' knows nothing of codes",
      note: "train a model of semantic IDs, for example h2rec")
  }

  /// Codes of new items mean something else than those of the model.
  static func otherCodebooks(_ directory: FilePath) -> PipelineError {
    PipelineError(
      .configuration, "these codes are not those of the codebooks that the model was trained with",
      at: .init(path: directory.string),
      note: "encode the new items with 'h2rec-tokenize encode' and the output given as --codes"
    )
  }

  /// Vectors of new items lie in another space than those of the model.
  static func otherSpace(_ directory: FilePath, _ agreement: Double) -> PipelineError {
    PipelineError(
      .configuration,
      """
      these vectors lie in another space than those of the model: of the items in both, the median one has \
      \(decimal(100 * agreement, 0)) % of its signs in common, expected \
      \(decimal(100 * SpaceSketch.leastAgreement, 0)) % or more
      """, at: .init(path: directory.string),
      note:
        "preprocess the new items with --text-encoder of the model's data, or with vectors of the same text model"
    )
  }

  /// A run was not ranked under a protocol.
  static func noSuchRanks(_ kind: RankingProtocol, _ directory: FilePath) -> PipelineError {
    PipelineError(
      .configuration, "this run has no ranks of the protocol '\(kind.rawValue)'",
      at: .init(path: directory.string),
      note: "negatives are stored by h2rec-preprocess (--negatives, --popular-negatives)")
  }

  /// The model knows all items of an output that was given as new ones.
  static func nothingNew(_ directory: FilePath) -> PipelineError {
    PipelineError(
      .configuration, "all items of these codes are in the catalogue of the model",
      at: .init(path: directory.string), note: "leave '--new-items' out")
  }

  /// An option is about categories, and no item has one.
  static func noCategories(_ option: String) -> PipelineError {
    PipelineError(
      .configuration, "'\(option)' needs categories, and no item has one",
      note: "give the preprocess stage items with categories (--items)")
  }

  /// An option is about times, and the log had none.
  static func noTimes(_ option: String, _ directory: FilePath) -> PipelineError {
    PipelineError(
      .configuration, "'\(option)' needs times, and this log was read without them",
      at: .init(path: directory.string),
      note: "leave it out, or preprocess a log with times (--timestamp-format)")
  }

  /// An option needs text vectors, and new items have none.
  static func noVectorsOfNewItems(_ option: String) -> PipelineError {
    PipelineError(
      .configuration, "'\(option)' needs text vectors of all items, and the new ones have none",
      note: "give the preprocess output of the new items with '--new-items-data'")
  }

  /// New items are compared in a space that they have no place in.
  static func noHashOfNewItems() -> PipelineError {
    PipelineError(
      .configuration, "found '--space hash' and '--new-items': new items have no hash ID",
      note: "use '--space semantic'")
  }

  /// Stored negatives of a user come after those of a later one.
  static func negativesNotAscending(user: Int) -> PipelineError {
    PipelineError(
      .dataFormat, "the stored negatives of user \(user) come after those of a later user",
      note: "run h2rec-preprocess again")
  }

  /// An id cannot stand in a file of one id a line.
  static func lineEndInID(_ id: String) -> PipelineError {
    PipelineError(.configuration, "the id \(quoted(id)) contains a line end")
  }
}
